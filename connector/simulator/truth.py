"""What the vendor knows for sure, for a test to compare with what the portal believes."""

from dataclasses import asdict
from typing import Any

from connector.simulator.clock import iso_milliseconds
from connector.simulator.cloud import Cloud
from connector.simulator.orders import is_listed
from connector.simulator.records import Order


def truth(cloud: Cloud) -> dict[str, Any]:
    """Orders, pairings, token counts, calls, notifications and switches, as plain JSON values."""
    world = cloud.world
    with world.lock:
        return {
            "now": iso_milliseconds(cloud.clock.now()),
            "orders": [_order(order) for order in world.orders.values()],
            "accounts": [
                asdict(account) | {"paired": account.pairing is not None} for account in world.accounts.values()
            ],
            "tokens": {name: world.counts[name] for name in _COUNTS},
            "calls": dict(world.calls),
            "notifications": [asdict(notification) for notification in world.notifications],
            "switches": asdict(cloud.switches),
        }


_COUNTS = ("issued", "refreshed", "reuse", "revoked", "families_ended")


def _order(order: Order) -> dict[str, Any]:
    latest = order.latest
    return {
        "order_id": order.order_id,
        "rx_id": order.rx_id,
        "account_id": order.account_id,
        "status": order.status,
        "updated": iso_milliseconds(order.updated),
        "revision": latest.number,
        "listed": is_listed(order),
        "acknowledged": latest.acknowledged,
        "malformed": order.malformed,
        "zip": order.zip_kind,
        "downloads": sum(revision.downloads for revision in order.revisions),
        "thumbnail_downloads": sum(revision.thumbnail_downloads for revision in order.revisions),
        "revisions": [asdict(row) | {"updated": iso_milliseconds(row.updated)} for row in order.revisions],
        "returns": [asdict(row) | {"at": iso_milliseconds(row.at)} for row in order.returns],
    }
