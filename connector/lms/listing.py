"""Which orders a system is to take next: all that changed after a place in the list, oldest change first."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan

from connector.lms.cursor import Position
from connector.lms.order_json import ORDER_FIELDS, order_json, revisions_of
from connector.lms.schemas import OrdersQuery
from connector.orders.models import Order

# A change carries the time at which it was written, but is seen only when its transaction commits. Were a later change
# handed out first, a client would keep a cursor beyond the earlier one and never see it. So the list ends where the
# oldest transaction that is still running began. Other transactions of the app's role are visible to it; none of them
# is left idle for more than two minutes (labportal/roles.py). Machines are expected to keep the time (NTP).
SETTLED = """
SELECT coalesce(min(xact_start), clock_timestamp()), clock_timestamp() FROM pg_stat_activity
 WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
"""

# Set back by less, the clock is hardly ever: it is slowed down instead.
SET_BACK = timedelta(seconds=1)


def page_of_orders(lab_id: UUID, wanted: OrdersQuery, after: Position | None) -> dict[str, Any]:
    """One page: `next` while there is more now, `cursor` to be kept for the next time. Three queries.

    A place in the future was given out while the clock was fast. What changed since it was set right lies before that
    place, and would never be met, so the list begins anew."""
    settled, now = _settled()
    if after is not None and after.updated_at > now + SET_BACK:
        after = None
    orders = Order.with_erased.of(lab_id).filter(updated_at__lt=settled)
    if wanted.updated_since is not None:
        orders = orders.filter(updated_at__gte=wanted.updated_since)
    if wanted.status:
        orders = orders.filter(vendor_status=wanted.status)
    if after is not None:
        place = Tuple(F("updated_at"), F("id"))
        orders = orders.filter(TupleGreaterThan(place, (after.updated_at, after.id)))
    rows = list(orders.order_by("updated_at", "id").values(*ORDER_FIELDS)[: wanted.limit + 1])
    more, rows = len(rows) > wanted.limit, rows[: wanted.limit]
    revisions = revisions_of(lab_id, [row["id"] for row in rows])
    last = Position(rows[-1]["updated_at"], rows[-1]["id"]) if rows else after
    return {
        "items": [order_json(row, revisions.get(row["id"], [])) for row in rows],
        "next": last.cursor if more and last else None,
        "cursor": last.cursor if last else None,
    }


def _settled() -> tuple[datetime, datetime]:
    """(where the list ends, the time now), by the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute(SETTLED)
        moments: tuple[datetime, datetime] = cursor.fetchone()
    return moments
