"""The audit's entries about a case: which one, whose, and Align's number of it; never the patient."""

from datetime import timedelta

from connector.orders.models import Order, Revision
from labportal.audit.services import Fact, record, record_once, record_refusal

THE_SAME_DOWNLOAD = timedelta(hours=1)


def note(order: Order, action: str, *, revision: Revision | None = None, **facts: Fact) -> None:
    """Audit what is done to a case or seen of it, in the running transaction."""
    record(action, lab_id=order.lab_id, target=order, **_numbers(order, revision), **facts)


def note_once(order: Order, action: str, *, number: int, within: timedelta) -> bool:
    """The same for what a page fetches by the dozen: once a person, revision (its number) and `within`."""
    return record_once(action, lab_id=order.lab_id, target=order, within=within, order=order.order_id, revision=number)


def note_taken(order: Order, action: str, *, revision: Revision, part: tuple[int, int] | None, **facts: Fact) -> bool:
    """The same for files handed out; `part` is the first and last byte, None for all. Whether there is a new entry.

    From the first byte on, each time. Any other part is the rest of a broken download, or all but a byte: it is an
    entry, too, unless the same one took from the same file within the hour and has its entry.
    """
    if part is None or part[0] == 0:
        note(order, action, revision=revision, **facts)
        return True
    which = _numbers(order, revision) | facts
    return record_once(action, lab_id=order.lab_id, target=order, within=THE_SAME_DOWNLOAD, loosely=False, **which)


def note_refusal(order: Order, action: str, *, revision: Revision) -> None:
    """The same for an answer that is an error, whose transaction is rolled back."""
    record_refusal(action, lab_id=order.lab_id, target=order, **_numbers(order, revision))


def _numbers(order: Order, revision: Revision | None) -> dict[str, Fact]:
    numbers: dict[str, Fact] = {"order": order.order_id}
    return numbers | ({"revision": revision.number} if revision is not None else {})
