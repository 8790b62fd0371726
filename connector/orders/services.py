"""What people do with a case. Each verb is used by the page, the REST export and the admin alike."""

from django.utils import timezone

from connector.orders.history import record
from connector.orders.models import Order, Revision, RevisionState, SeenBy, Wants, Workflow
from connector.orders.stopped import settle
from connector.orders.trail import note, note_taken
from labportal.audit.services import Fact
from labportal.doorbell import ring
from labportal.labs.models import User

DOWNLOAD = "connector.intake.tasks.download"


def mark_seen(*, order: Order, user: User) -> None:
    """This person has opened the case as it stands; the first time goes on the timeline."""
    seen, made = SeenBy.objects.get_or_create(
        lab_id=order.lab_id, order=order, user=user, defaults={"number": order.latest_number}
    )
    if made or seen.number < order.latest_number:
        SeenBy.objects.of(order.lab_id).filter(pk=seen.pk).update(number=order.latest_number)
        record(order, "viewed", by=user)


def set_workflow(*, order: Order, workflow: str, user: User) -> None:
    """New, in work or done; an unknown word changes nothing."""
    if workflow not in Workflow.values or workflow == order.workflow:
        return
    order.workflow = workflow
    order.save(update_fields=["workflow", "updated_at"])
    record(order, "workflow", by=user, workflow=Workflow(workflow).label)
    note(order, "case.marked", workflow=workflow)


def _lock(order: Order) -> None:
    """Before a revision is touched, as intake does: the other way round two would wait for each other."""
    Order.objects.of(order.lab_id).select_for_update(no_key=True).get(pk=order.pk)


def ask_for_files(*, order: Order, user: User | None) -> bool:
    """Fetch the latest revision's scan files, which this pairing leaves at Align until somebody asks."""
    _lock(order)
    latest = Revision.objects.of(order.lab_id).filter(order=order, number=order.latest_number)
    asked = latest.filter(state=RevisionState.ASKED_LATER).update(
        state=RevisionState.SEEN, wants=Wants.FULL, attempts=0, own_failures=0, reason="", next_due=None
    )
    if asked:
        record(order, "asked", by=user)
        note(order, "case.files_asked")
        ring(DOWNLOAD, order.lab_id, order.pairing_id, cluster="downloads")
    return bool(asked)


def try_again(*, order: Order, user: User | None) -> bool:
    """Make a delayed or stopped revision due now, with its attempts counted from nought."""
    _lock(order)
    again = (RevisionState.RETRY, RevisionState.DEAD, RevisionState.QUARANTINED)
    latest = Revision.objects.of(order.lab_id).filter(order=order, number=order.latest_number, state__in=again)
    if not latest.update(state=RevisionState.RETRY, attempts=0, own_failures=0, next_due=timezone.now()):
        return False
    settle(order)
    record(order, "asked", by=user)
    note(order, "case.tried_again")
    ring(DOWNLOAD, order.lab_id, order.pairing_id, cluster="downloads")
    return True


def downloaded(
    *,
    order: Order,
    user: User | None,
    revision: Revision,
    what: str,
    code: str,
    part: tuple[int, int] | None = None,
    **which: Fact,
) -> None:
    """Somebody took files out; `what` names them without patient data, `code` is "zip" or the file's role, `which`
    tells files of one role apart. The rest (`part`) of a download that is written down already is not another one."""
    if note_taken(order, "case.downloaded", revision=revision, part=part, file=code, **which):
        record(order, "downloaded", by=user, revision=revision, what=what)
