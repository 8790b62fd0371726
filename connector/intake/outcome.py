"""What a failed download means for the revision: again later, or a person must act; always with a reason code."""

from datetime import timedelta

from django.utils import timezone

from connector.intake.leases import LeaseLost, release
from connector.itero.errors import Forbidden, Gone, HumanError, IteroError, NotFound
from connector.orders.history import record
from connector.orders.models import Order, Revision, RevisionState
from connector.pairing.access import PairingStopped, back_off
from connector.scans import ArchiveRejected
from labportal.labs.tenancy import in_lab

TRIES, ARCHIVE_TRIES, NOT_FOUND_TRIES = 12, 3, 3


def failed(revision: Revision, error: IteroError | PairingStopped | ArchiveRejected | OSError) -> None:
    """Record the failure; the order's page says the reason in words. Nothing that was fetched is deleted."""
    code = getattr(error, "code", "") or "disk"
    state = _state(revision, error)
    stopped = state in {RevisionState.QUARANTINED, RevisionState.DEAD, RevisionState.GONE}
    wait = timedelta(seconds=back_off(revision.attempts - 1, getattr(error, "retry_after", None)))
    try:
        with in_lab(revision.lab_id):
            release(revision, state=state, reason=code, next_due=None if stopped else timezone.now() + wait)
            record(revision.order, "stopped" if stopped else "retry", revision=revision, reason=code)
            if stopped:
                Order.objects.of(revision.lab_id).filter(pk=revision.order_id).update(
                    problem=code, updated_at=timezone.now()
                )
    except LeaseLost:
        pass


def _state(revision: Revision, error: Exception) -> RevisionState:
    """The pairing's troubles are not the order's: those always come again. An unsafe zip is held back after three."""
    if isinstance(error, (PairingStopped, Forbidden)):
        return RevisionState.RETRY
    if isinstance(error, Gone):
        return RevisionState.GONE
    if isinstance(error, ArchiveRejected):
        return RevisionState.RETRY if revision.attempts < ARCHIVE_TRIES else RevisionState.QUARANTINED
    if isinstance(error, NotFound):
        return RevisionState.RETRY if revision.attempts < NOT_FOUND_TRIES else RevisionState.DEAD
    if isinstance(error, HumanError):
        return RevisionState.DEAD
    return RevisionState.RETRY if revision.attempts < TRIES else RevisionState.DEAD
