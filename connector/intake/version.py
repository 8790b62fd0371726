"""Which appearance of an order this is: a hash of status, Align's time mark and the full-scan asset."""

import hashlib
import json

from connector.itero import Asset, Order
from connector.itero.profile_sections import Statuses


def version_key(order: Order) -> str:
    """Two consumers that see the same appearance compute the same key; a re-scan or a new status gives another."""
    full = sorted((asset.kind, asset.size) for asset in order.assets if asset.asset is Asset.FULL)
    # Without a time mark the scan's own date tells a re-scan from the scan before it.
    mark = order.updated or (order.scan_date.isoformat() if order.scan_date else "")
    return hashlib.sha256(json.dumps([order.status, mark, full]).encode()).hexdigest()


def files_are_ready(order: Order, statuses: Statuses) -> bool:
    """Whether this appearance has files to fetch. An order that lists no assets at all is taken by its status."""
    if not statuses.has_files(order.status):
        return False
    full = [asset for asset in order.assets if asset.asset is Asset.FULL]
    return any(asset.ready for asset in full) if full else True


def expected_size(order: Order) -> int | None:
    """Bytes of the full zip as announced; None when Align does not say."""
    return next((asset.size for asset in order.assets if asset.asset is Asset.FULL and asset.size), None)
