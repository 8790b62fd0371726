"""What a failed download means for the revision: again later, or a person must act; always with a reason code."""

from datetime import timedelta

from django.utils import timezone

from connector.intake.leases import LeaseLost, release
from connector.itero.errors import (
    Conflict,
    ConnectionLost,
    Forbidden,
    Gone,
    HostNotAllowed,
    HumanError,
    InvalidClient,
    IteroError,
    NotFound,
    RateLimited,
    Timeout,
    Truncated,
    VendorUnavailable,
    WebPage,
)
from connector.orders.history import record
from connector.orders.models import STOPPED, Revision, RevisionState
from connector.orders.stopped import settle
from connector.pairing.access import PairingStopped, back_off
from connector.scans.checking import CheckFailed
from connector.scans.rejection import ArchiveRejected
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

TRIES, ARCHIVE_TRIES, NOT_FOUND_TRIES = 12, 3, 3
# Nothing is fetched for these: the zip is here, and a machine short of memory gets a quarter of an hour.
CHECK_TRIES = 6
# The line's or Align's own trouble, and the pairing's: it says nothing about the order, which comes again however long
# the trouble lasts.
OUTAGE = (Timeout, ConnectionLost, RateLimited, VendorUnavailable, WebPage)
NOT_THE_ORDERS = (PairingStopped, SealError, Forbidden, InvalidClient, HostNotAllowed, *OUTAGE)


Failure = IteroError | PairingStopped | SealError | ArchiveRejected | CheckFailed | OSError


def failed(revision: Revision, error: Failure) -> None:
    """Record the failure; the order's page says the reason in words. Nothing that was fetched is deleted."""
    code = getattr(error, "code", "") or "disk"
    own = revision.own_failures + _is_own(error)
    state = _state(own, error)
    stopped = state in STOPPED
    wait = timedelta(seconds=back_off(revision.attempts - 1, getattr(error, "retry_after", None)))
    try:
        with in_lab(revision.lab_id):
            next_due = None if stopped else timezone.now() + wait
            release(revision, state=state, reason=code, next_due=next_due, own_failures=own)
            record(revision.order, "stopped" if stopped else "retry", revision=revision, reason=code)
            if stopped:
                settle(revision.order)
    except LeaseLost:
        pass


def _is_own(error: Exception) -> bool:
    """Whether this failure counts against the order: not an outage, not our disk, not a download that at least got on.
    After a night of those, the first 404 of a waking Align must not be the last."""
    return not isinstance(error, (*NOT_THE_ORDERS, OSError)) and not (isinstance(error, Truncated) and error.got_on)


def _state(failures: int, error: Exception) -> RevisionState:
    """Again, or the way in which it ends. An unsafe zip is held back after three, since a line may have garbled it."""
    if not _is_own(error):
        return RevisionState.RETRY
    if isinstance(error, Gone):
        return RevisionState.GONE
    if isinstance(error, ArchiveRejected):
        return RevisionState.RETRY if failures < ARCHIVE_TRIES else RevisionState.QUARANTINED
    if isinstance(error, CheckFailed):
        return RevisionState.RETRY if failures < CHECK_TRIES else RevisionState.QUARANTINED
    if isinstance(error, NotFound):
        return RevisionState.RETRY if failures < NOT_FOUND_TRIES else RevisionState.DEAD
    if isinstance(error, HumanError) and not isinstance(error, Conflict):
        return RevisionState.DEAD
    # A conflict: the doctor's or Align's work on the case has begun anew; what comes of it replaces this revision.
    return RevisionState.RETRY if failures < TRIES else RevisionState.DEAD
