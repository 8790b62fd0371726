"""Looking up what a notification points at: Get Order By RxID, then recorded like any order of the list."""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from connector.intake.download import ring_download
from connector.intake.models import Notification, NotificationState, RunStatus, SyncRun, UnroutedNotification
from connector.intake.notifications import keep, ring_look_up
from connector.intake.outcome import NOT_THE_ORDERS, OUTAGE
from connector.intake.pairing_row import not_paused
from connector.intake.record import UnstorableOrder, record_order
from connector.itero.errors import IteroError, NotFound, RateLimited
from connector.pairing.access import PairingStopped, call
from connector.pairing.models import Pairing, State
from labportal.faults import fault
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

BATCH = 50
TRIES = 5
ASK_AT_MOST = 200
STUCK = timedelta(minutes=10)
KEPT_UNROUTED = timedelta(days=3)


def look_up(lab_id: UUID, pairing_id: UUID) -> None:
    """Ask Align for each waiting RxID, record what it says, and ring for the downloads."""
    with in_lab(lab_id):
        ready = Pairing.objects.of(lab_id).filter(not_paused(timezone.now()), state=State.ACTIVE)
        pairing = ready.filter(pk=pairing_id).first()
    batch = _take(lab_id, pairing_id) if pairing else []
    if pairing is None or not batch:
        return
    fault("look_up.after_take")
    run = _begin(pairing, len(batch))
    try:
        run.reason = _look_up_all(pairing, batch, run)
    except BaseException:
        run.reason = "interrupted"
        raise
    finally:
        _end(run)
    if run.new:
        ring_download(lab_id, pairing_id)
    if not run.reason and (len(batch) == BATCH or _more_came(lab_id, pairing_id)):
        ring_look_up(lab_id, pairing_id)


def _more_came(lab_id: UUID, pairing_id: UUID) -> bool:
    """Pushes that came too late for this batch, and did not ring since its own were still waiting."""
    with in_lab(lab_id):
        rows = Notification.objects.of(lab_id).filter(pairing_id=pairing_id)
        return rows.filter(state=NotificationState.QUEUED, attempts=0).exists()


def _look_up_all(pairing: Pairing, batch: list[Notification], run: SyncRun) -> str:
    """The reason code of what went wrong, '' if nothing did. Trouble with the line, Align or the pairing ends the
    batch: the rest would meet it too."""
    reason = ""
    for place, push in enumerate(batch):
        try:
            run.new += _look_up_one(pairing, push)
        except NOT_THE_ORDERS as error:
            push.attempts += 1
            for waiting in batch[place:]:
                _put_back(waiting, error.code)
            return str(error.code)
        except (IteroError, UnstorableOrder) as error:
            # A push may be quicker than Align's own index; the poll is the net below this.
            push.attempts, push.own_failures = push.attempts + 1, push.own_failures + 1
            _put_back(push, error.code)
            run.malformed += not isinstance(error, NotFound)
            reason = reason if isinstance(error, NotFound) else error.code
    return reason


def _begin(pairing: Pairing, listed: int) -> SyncRun:
    """A new run; one whose worker was killed is closed, as a poll's is."""
    now = timezone.now()
    with in_lab(pairing.lab_id):
        runs = SyncRun.objects.of(pairing.lab_id).filter(pairing=pairing, kind="notification")
        runs.filter(status=RunStatus.RUNNING, started_at__lt=now - STUCK).update(
            status=RunStatus.FAILED, reason="interrupted", ended_at=now
        )
        return SyncRun.objects.create(lab_id=pairing.lab_id, pairing=pairing, kind="notification", listed=listed)


def _end(run: SyncRun) -> None:
    run.status = RunStatus.FAILED if run.reason else RunStatus.NEW if run.new else RunStatus.NOTHING_NEW
    run.ended_at = timezone.now()
    with in_lab(run.lab_id):
        run.save()


def _take(lab_id: UUID, pairing_id: UUID) -> list[Notification]:
    """Waiting rows, and rows whose worker died: marked TAKEN, so that a push from now on is a new row. Those that
    failed before come last, so that one which always fails does not keep the others waiting."""
    now = timezone.now()
    waiting = Q(state=NotificationState.QUEUED) | Q(state=NotificationState.TAKEN, taken_at__lt=now - STUCK)
    with in_lab(lab_id):
        rows = Notification.objects.of(lab_id).filter(pairing_id=pairing_id)
        free = rows.filter(waiting).select_for_update(skip_locked=True)
        batch = list(free.order_by("attempts", "received_at")[:BATCH])
        rows.filter(pk__in=[push.pk for push in batch]).update(state=NotificationState.TAKEN, taken_at=now)
    return batch


def _look_up_one(pairing: Pairing, push: Notification) -> bool:
    order = call(
        pairing.lab_id,
        pairing.pk,
        lambda a: a.client.get_order_by_rx_id(a.endpoints, access_token=a.access_token, rx_id=push.rx_id),
    )
    fault("look_up.after_answer")
    new = record_order(pairing, order, source="notification").new
    fault("look_up.after_record")
    with in_lab(push.lab_id):
        Notification.objects.of(push.lab_id).filter(pk=push.pk).update(state=NotificationState.DONE, reason="")
    return new


def _put_back(push: Notification, reason: str) -> None:
    """Queue it again, or end it when Align itself said no too often; if an equal push came meanwhile, that one stands
    for both."""
    counts = {"reason": reason, "attempts": push.attempts, "own_failures": push.own_failures}
    with in_lab(push.lab_id):
        row = Notification.objects.of(push.lab_id).filter(pk=push.pk)
        if push.own_failures >= TRIES:
            row.update(state=NotificationState.UNKNOWN, **counts)
            return
        try:
            with transaction.atomic():
                row.update(state=NotificationState.QUEUED, **counts)
        except IntegrityError:
            row.update(state=NotificationState.DONE, **counts)


def route_unrouted() -> None:
    """Ask the active pairings, one after the other and a bounded number, whose RxID this is."""
    for push in UnroutedNotification.objects.order_by("?")[:10]:
        # Counted before asking: a look-up that is cut short counts too, or it would begin anew for ever.
        row = UnroutedNotification.objects.filter(pk=push.pk)
        if not row.filter(asked=push.asked).update(asked=F("asked") + 1):
            continue
        try:
            routed = _route(push.rx_id)
        except OUTAGE:
            if timezone.now() - push.received_at < KEPT_UNROUTED:
                row.update(asked=push.asked)  # an outage is no answer
                return  # the others would meet it too
            routed = False
        if routed or push.asked + 1 >= TRIES:
            push.delete()


def _route(rx_id: str) -> bool:
    """Whether one of the pairings knows it. Errors: those of an outage, when one of them could not be asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id FROM resolve.active_pairings(%s)", [ASK_AT_MOST])
        pairings: list[tuple[UUID, UUID]] = cursor.fetchall()
    silent: IteroError | None = None
    for lab_id, pairing_id in pairings:
        with in_lab(lab_id):
            ready = Pairing.objects.of(lab_id).filter(not_paused(timezone.now()), pk=pairing_id).exists()
        if not ready:
            silent = RateLimited("paused")
            continue
        try:
            call(lab_id, pairing_id, lambda a: a.client.get_order_by_rx_id(
                a.endpoints, access_token=a.access_token, rx_id=rx_id
            ))  # fmt: skip
        except OUTAGE:
            raise
        except (IteroError, PairingStopped, SealError):
            continue
        keep(lab_id, pairing_id, rx_id)
        return True
    if silent is not None:
        raise silent
    return False
