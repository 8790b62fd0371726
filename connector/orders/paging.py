"""Keyset pages of the inbox: a page goes on after the last row shown, so page 700 costs what page 1 does.

A cursor stands in addresses. So it carries the key of that row only where this is a time or a day; by a patient's name
it names the row alone, and the key is read again.
"""

import base64
import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from connector.orders.models import Order
from labportal.labs.models import Lab

PAGE = 50
SORTS = {"received": "Newest first", "due": "Due first", "patient": "Patient A–Z"}
LONGEST_CURSOR = 200


def _ordered(orders: QuerySet[Order], sort: str) -> tuple[QuerySet[Order], bool]:
    """The orders with the `key` that they are sorted by, and whether the greatest comes first."""
    key = {"due": "due_key", "patient": "patient_key"}.get(sort, "received_at")
    return orders.annotate(key=F(key)), sort == "received"


def page(orders: QuerySet[Order], *, sort: str, cursor: str, lab: Lab) -> QuerySet[Order]:
    """Up to PAGE + 1 orders after the cursor, by native row comparison; the id parts equal keys."""
    orders, descending = _ordered(orders, sort)
    after = read_cursor(cursor, sort)
    if after is not None and sort == "patient":
        name = Order.objects.of(lab).filter(pk=after[1]).values_list("patient_key", flat=True).first()
        after = None if name is None else (name, after[1])
    if after is not None:
        compare = TupleLessThan if descending else TupleGreaterThan
        orders = orders.filter(compare(Tuple(F("key"), F("id")), after))
    sign = "-" if descending else ""
    return orders.order_by(f"{sign}key", f"{sign}id")[: PAGE + 1]


def cursor_after(row: dict[str, Any]) -> str:
    """The cursor of the page that begins behind this row (its `key` and `id`)."""
    key = row["key"]
    text = "" if isinstance(key, str) else key.isoformat()
    return base64.urlsafe_b64encode(json.dumps([text, str(row["id"])]).encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: str) -> tuple[Any, UUID] | None:
    """The key and id in a cursor, '' for a name; None, which is the first page, for one that was tampered with."""
    if not cursor or len(cursor) > LONGEST_CURSOR:
        return None
    try:
        text, order_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return _key(text, sort), UUID(order_id)
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _key(text: str, sort: str) -> Any:
    """Errors: ValueError or TypeError for what is no key of this sort."""
    if sort == "due":
        return date.fromisoformat(text)
    if sort == "received":
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return moment
    if text:
        raise ValueError("a name has no place here")
    return text
