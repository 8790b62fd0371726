"""What people do with stopped scans: try all again, or take one off "Needs attention" with a note."""

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connector.intake.bookkeeping import Dismissal
from connector.orders import history
from connector.orders.models import STOPPED, Order, Revision, RevisionState
from connector.orders.services import try_again
from connector.orders.stopped import not_dismissed, settle
from connector.orders.trail import note as audit
from labportal.labs.models import Lab, User

NOTE_MAX = 500
AT_ONCE = 100
AGAIN = (RevisionState.RETRY, RevisionState.DEAD, RevisionState.QUARANTINED)


def needing_attention(lab: Lab) -> QuerySet[Revision]:
    """All revisions that stopped or are delayed, older ones too: a newer scan does not bring an older one back. A
    dismissed one comes back when it fails after its dismissal."""
    return not_dismissed(lab).filter(state__in=(*STOPPED, RevisionState.RETRY))


def may_be_tried(lab: Lab) -> QuerySet[Revision]:
    """Those that can be fetched again, and are not due already: what Align gives out is a case's newest scan."""
    now_due = Q(state=RevisionState.RETRY, next_due__lte=timezone.now())
    return needing_attention(lab).filter(state__in=AGAIN, number=F("order__latest_number")).exclude(now_due)


def try_all_again(*, lab: Lab, user: User) -> tuple[int, int]:
    """Make up to AT_ONCE of the listed scans due now; how many were, and how many are left. Always in the same order
    of rows, so that two people who press at once do not wait for each other."""
    waiting = may_be_tried(lab)
    orders = Order.objects.of(lab).filter(pk__in=waiting.values("order_id")).order_by("pk")[:AT_ONCE]
    tried = sum(try_again(order=order, user=user) for order in orders)
    return tried, may_be_tried(lab).count()


def clean_note(note: str) -> str:
    return " ".join(note.replace("\x00", "").split())[:NOTE_MAX]


def dismiss(*, order: Order, number: int, note: str, user: User) -> bool:
    """Take revision `number` off the list; False when it is no longer stopped."""
    note = clean_note(note)
    locked = Order.objects.of(order.lab_id).select_for_update(no_key=True).get(pk=order.pk)
    mine = Revision.objects.of(order.lab_id).filter(order=locked, number=number, state__in=STOPPED)
    revision = mine.first()
    if revision is None or not note:
        return False
    Dismissal.objects.create(lab_id=order.lab_id, revision=revision, note=note, by=user, at=timezone.now())
    history.record(locked, "dismissed", revision=revision, by=user, note=note)
    audit(locked, "case.dismissed", revision=revision)
    settle(locked)
    return True
