"""Telling Align of a return, once in effect: when an earlier attempt may have come through, Align is asked first."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from connector.intake.outcome import OUTAGE
from connector.intake.record import UnstorableOrder, record_order
from connector.itero.errors import Conflict, IteroError
from connector.orders.history import record
from connector.orders.models import Order
from connector.orders.trail import note
from connector.pairing import vendor
from connector.pairing.access import Access, PairingStopped, back_off, call
from connector.pairing.models import Pairing
from connector.returns.models import Reason, Return, ReturnState
from labportal.faults import fault
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

TRIES = 12
CLAIM = timedelta(minutes=3)
FRESH = timedelta(minutes=2)
STOPPED_WAIT = timedelta(minutes=5)


def send(lab_id: UUID, return_id: UUID) -> None:
    """Tell Align once; on trouble try again later, on a refusal stop with the reason."""
    wanted = _claim(lab_id, return_id)
    if wanted is None:
        return
    if not wanted.order.pairing.is_linked:
        _end_unsent(wanted, problem="not_paired")
        return
    fault("return.after_claim")
    try:
        # An attempt before this one was cut short, or its answer was lost. Sent again, a case whose re-scan is here
        # already would go back to the doctor a second time.
        if wanted.attempts > 1 and _came_through(wanted):
            _sent(wanted, "return_sent")
            return
        if wanted.attempts == 1 and _is_overtaken(wanted):
            _end_unsent(wanted, problem="overtaken")
            return
        try:
            call(lab_id, wanted.order.pairing_id, lambda access: _tell(access, wanted))
        except Conflict:
            if not _came_through(wanted):
                raise
            _sent(wanted, "return_found")
        else:
            fault("return.after_told")
            _sent(wanted, "return_sent")
    except (IteroError, PairingStopped, SealError, UnstorableOrder) as error:
        _not_sent(wanted, error)


def _claim(lab_id: UUID, return_id: UUID) -> Return | None:
    """Take the return for three minutes by moving its due time; nobody else sends it meanwhile. The attempt counts from
    here, so that one which was cut short is known."""
    now = timezone.now()
    with in_lab(lab_id):
        if _waits_with_its_pairing(lab_id, return_id, now):
            return None
        mine = Return.objects.of(lab_id).filter(pk=return_id, state=ReturnState.QUEUED, next_due__lte=now)
        if not mine.update(next_due=now + CLAIM, attempts=F("attempts") + 1):
            return None
        rows = Return.objects.of(lab_id).select_related("order", "order__pairing", "revision", "by")
        return rows.get(pk=return_id)


def _waits_with_its_pairing(lab_id: UUID, return_id: UUID, now: datetime) -> bool:
    """While Align asked for silence, the return's time is the end of that."""
    paused = Pairing.objects.of(lab_id).filter(orders__returns__pk=return_id, paused_until__gt=now).first()
    if paused is None:
        return False
    Return.objects.of(lab_id).filter(pk=return_id, state=ReturnState.QUEUED).update(
        next_due=paused.paused_until, problem=paused.reason
    )
    return True


def _tell(access: Access, wanted: Return) -> None:
    access.client.return_to_doctor(
        access.endpoints,
        access_token=access.access_token,
        order_id=wanted.order.order_id,
        reason=wanted.reason,
        comment=f"{Reason(wanted.reason).label}. {wanted.comment}".strip(),
    )


def _came_through(wanted: Return) -> bool:
    """Whether Align has the case at the doctor, or shows a newer scan than the one that was to go back."""
    return any(_at_align(wanted))


def _at_align(wanted: Return) -> tuple[bool, bool]:
    """(the doctor has it, there is a newer scan), as Align says now."""
    order = wanted.order
    seen = call(
        order.lab_id,
        order.pairing_id,
        lambda a: a.client.get_order_by_rx_id(a.endpoints, access_token=a.access_token, rx_id=order.rx_id),
    )
    known = record_order(order.pairing, seen, source="lookup").order
    with_doctor = vendor.profile().statuses.is_with_doctor(seen.status)
    return with_doctor, known.latest_number > wanted.revision.number


def _is_overtaken(wanted: Return) -> bool:
    """Whether a newer scan came while the return waited, with its pairing perhaps for days. Nobody has looked at that
    scan, so it does not go back. Of one that was asked for just now our own record is enough."""
    if wanted.order.latest_number > wanted.revision.number:
        return True
    _, newer = _at_align(wanted) if timezone.now() - wanted.created_at > FRESH else (False, False)
    return newer


def _end_unsent(wanted: Return, *, problem: str) -> None:
    """What it was about has changed, and only a person can say whether it is still wanted."""
    with in_lab(wanted.lab_id):
        queued = Return.objects.of(wanted.lab_id).filter(pk=wanted.pk, state=ReturnState.QUEUED)
        if queued.update(state=ReturnState.REFUSED, problem=problem, next_due=None):
            record(wanted.order, "return_unsent", revision=wanted.revision, by=wanted.by, reason=problem)
            note(wanted.order, "return.unsent", revision=wanted.revision, reason=problem)


def _sent(done: Return, kind: str) -> None:
    now = timezone.now()
    with in_lab(done.lab_id):
        order = Order.objects.of(done.lab_id).select_for_update(no_key=True).get(pk=done.order_id)
        queued = Return.objects.of(done.lab_id).filter(pk=done.pk, state=ReturnState.QUEUED)
        if not queued.update(state=ReturnState.SENT, sent_at=now, problem="", next_due=None):
            return  # a second worker, that began when our claim had run out, said so already
        # A re-scan may have arrived while Align answered: then nobody waits any more.
        if order.latest_number == done.revision.number:
            order.waiting_since = now
            order.save(update_fields=["waiting_since", "updated_at"])
        record(order, kind, revision=done.revision, by=done.by)
        note(order, "return.sent", revision=done.revision)
        fault("return.before_commit")


def _not_sent(wanted: Return, error: IteroError | PairingStopped | SealError | UnstorableOrder) -> None:
    # A pairing that is stopped says nothing about the return: it waits with its pairing, however long.
    # So does one that meets an outage.
    stopped = isinstance(error, PairingStopped)
    waits = stopped or isinstance(error, OUTAGE)
    trouble = not isinstance(error, IteroError) or error.retry
    failures = wanted.own_failures + (not waits)
    again = waits or (trouble and failures < TRIES)
    wait = timedelta(seconds=back_off(wanted.attempts - 1, getattr(error, "retry_after", None)))
    if stopped:
        wait = STOPPED_WAIT
    with in_lab(wanted.lab_id):
        queued = Return.objects.of(wanted.lab_id).filter(pk=wanted.pk, state=ReturnState.QUEUED)
        changed = queued.update(
            state=ReturnState.QUEUED if again else ReturnState.REFUSED,
            problem=error.code,
            attempts=wanted.attempts - stopped,  # nothing went out, so nothing can have come through
            own_failures=failures,
            next_due=timezone.now() + wait if again else None,
        )
        if changed and not again:
            record(wanted.order, "return_refused", revision=wanted.revision, by=wanted.by, reason=error.code)
            note(wanted.order, "return.refused", revision=wanted.revision, reason=error.code)
