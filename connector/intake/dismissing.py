"""What people do with stopped scans: try all again, or take one off "Needs attention" with a note."""

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from connector.intake.bookkeeping import Dismissal
from connector.orders import history
from connector.orders.models import STOPPED, Order, Revision, RevisionState, TimelineEvent
from connector.orders.services import try_again
from connector.orders.trail import note as audit
from labportal.labs.models import Lab, User

NOTE_MAX = 500
AT_ONCE = 100
AGAIN = (RevisionState.RETRY, RevisionState.DEAD, RevisionState.QUARANTINED)
FAILURES = ("stopped", "retry")  # kinds of the timeline


def needing_attention(lab: Lab) -> QuerySet[Revision]:
    """Latest revisions that stopped or are delayed. A dismissed one comes back when it fails after its dismissal; one
    that Align has replaced by a newer scan is nobody's concern any more."""
    failed_since = TimelineEvent.objects.filter(
        lab_id=OuterRef("lab_id"), revision=OuterRef("revision"), kind__in=FAILURES, at__gt=OuterRef("at")
    )
    dismissed = Dismissal.objects.filter(lab_id=OuterRef("lab_id"), revision=OuterRef("pk"))
    latest = Revision.objects.of(lab).filter(number=F("order__latest_number"))
    stopped = latest.filter(state__in=(*STOPPED, RevisionState.RETRY))
    return stopped.exclude(Exists(dismissed.exclude(Exists(failed_since))))


def try_all_again(*, lab: Lab, user: User) -> int:
    """Make up to AT_ONCE of the listed scans due now; gives how many. Always in the same order of rows, so that two
    people who press at once do not wait for each other."""
    waiting = needing_attention(lab).filter(state__in=AGAIN)
    orders = Order.objects.of(lab).filter(pk__in=waiting.values("order_id")).order_by("pk")[:AT_ONCE]
    return sum(try_again(order=order, user=user) for order in orders)


def dismiss(*, order: Order, number: int, note: str, user: User) -> bool:
    """Take revision `number` off the list; False when it is no longer the latest, or no longer stopped."""
    note = " ".join(note.replace("\x00", "").split())[:NOTE_MAX]
    locked = Order.objects.of(order.lab_id).select_for_update(no_key=True).get(pk=order.pk)
    mine = Revision.objects.of(order.lab_id).filter(order=locked, number=number, state__in=STOPPED)
    revision = mine.first() if number == locked.latest_number else None
    if revision is None or not note:
        return False
    now = timezone.now()
    Order.objects.of(order.lab_id).filter(pk=order.pk).update(problem="", updated_at=now)
    Dismissal.objects.create(lab_id=order.lab_id, revision=revision, note=note, by=user, at=now)
    history.record(locked, "dismissed", revision=revision, by=user, note=note)
    audit(locked, "case.dismissed", revision=revision)
    return True
