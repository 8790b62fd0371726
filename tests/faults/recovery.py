"""After the fault: time passes, the net is drawn, and a healthy worker does what it finds. Nothing else is repaired."""

from datetime import timedelta

from django.utils import timezone
from django_q.models import OrmQ

from connector.intake.models import Notification, NotificationState, Reconciliation, RunStatus, SyncRun
from connector.orders import recheck
from connector.orders.models import ON_ITS_WAY, Revision, RevisionState
from connector.pairing.models import Pairing, State
from connector.returns.models import Return, ReturnState
from labportal.labs.tenancy import in_lab
from labportal.running.models import Heartbeat
from labportal.tick import tick
from tests.align import change
from tests.intake.desk import Desk, work

HOUR = timedelta(hours=1)
TURNS = 500
OPEN_PUSHES = (NotificationState.QUEUED, NotificationState.TAKEN)
UNFINISHED = (*ON_ITS_WAY, RevisionState.STORED)


def an_hour_passes(desk: Desk) -> None:
    """All that waits for a time is due: leases of dead workers, retries, pauses, the next poll."""
    now = timezone.now()
    Heartbeat.objects.filter(name=recheck.TURN).update(at=now - HOUR)
    change(desk.pairing, next_due=now, paused_until=None)
    with in_lab(desk.lab.pk):
        revisions = Revision.objects.of(desk.lab)
        revisions.filter(state=RevisionState.RETRY).update(next_due=now)
        revisions.filter(state__in=[RevisionState.FETCHING, RevisionState.STORED]).exclude(lease_until=None).update(
            lease_until=now - HOUR, next_due=now
        )
        revisions.filter(state=RevisionState.STORED).update(next_due=now)
        revisions.filter(state=RevisionState.READY).exclude(lease_until=None).update(lease_until=now - HOUR)
        Notification.objects.of(desk.lab).filter(state=NotificationState.TAKEN).update(taken_at=now - HOUR)
        SyncRun.objects.of(desk.lab).filter(status=RunStatus.RUNNING).update(started_at=now - HOUR)
        Reconciliation.objects.of(desk.lab).update(started_at=now - HOUR)
        Return.objects.of(desk.lab).filter(state=ReturnState.QUEUED).update(next_due=now)


def recover(desk: Desk, *, queue_lost: bool = True, rounds: int = 6) -> None:
    """Hours pass until nothing waits any more, six at most; the tick finds the work."""
    if queue_lost:
        OrmQ.objects.all().delete()
    for _ in range(rounds):
        an_hour_passes(desk)
        tick()
        work(forgiving=True, rounds=TURNS)
        if not still_waiting(desk):
            return


def still_waiting(desk: Desk) -> bool:
    with in_lab(desk.lab.pk):
        last = SyncRun.objects.of(desk.lab).filter(pairing=desk.pairing, kind="poll").first()
        asks = Pairing.objects.of(desk.lab).filter(pk=desk.pairing.pk, state=State.ACTIVE).exists()
        if asks and last is not None and last.status == RunStatus.FAILED:
            return True
        return (
            Revision.objects.of(desk.lab).filter(state__in=UNFINISHED).exists()
            or Notification.objects.of(desk.lab).filter(state__in=OPEN_PUSHES).exists()
            or Return.objects.of(desk.lab).filter(state=ReturnState.QUEUED).exists()
        )
