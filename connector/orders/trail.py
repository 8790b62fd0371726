"""The audit's entries about a case: which one, whose, and Align's number of it; never the patient."""

from datetime import timedelta

from connector.orders.models import Order, Revision
from labportal.audit.services import Fact, record, record_once


def note(order: Order, action: str, *, revision: Revision | None = None, **facts: Fact) -> None:
    """Audit what is done to a case or seen of it, in the running transaction."""
    record(action, lab_id=order.lab_id, target=order, **_numbers(order, revision), **facts)


def note_once(order: Order, action: str, *, within: timedelta) -> None:
    """The same for what a page fetches by the dozen: once a person, case and `within`."""
    record_once(action, lab_id=order.lab_id, target=order, within=within, order=order.order_id)


def _numbers(order: Order, revision: Revision | None) -> dict[str, Fact]:
    numbers: dict[str, Fact] = {"order": order.order_id}
    return numbers | ({"revision": revision.number} if revision is not None else {})
