"""What becomes of a stored zip that is missing or changed: the latest is fetched again, an older one is held back."""

from contextlib import suppress
from uuid import UUID

from django.utils import timezone

from connector.orders import store
from connector.orders.history import announce, record
from connector.orders.models import HAS_FILES, STOPPED, Event, Order, Revision, RevisionState
from connector.orders.stopped import settle
from connector.orders.trail import note
from labportal.keeping.verify import Bad, check_archive
from labportal.labs.tenancy import in_lab

REASON = "damaged"


def repair(bad: Bad) -> RevisionState | None:
    """RETRY or QUARANTINED, as the revision is now; None when somebody else has changed it meanwhile.

    The file goes aside before the row is changed: an intake that found it under its final name would adopt it.
    """
    with in_lab(bad.lab_id):
        archive = Revision.objects.of(bad.lab_id).values_list("archive", flat=True).get(pk=bad.revision_id)
    _put_aside(archive)
    now = timezone.now()
    with in_lab(bad.lab_id):
        order_pk = Revision.objects.of(bad.lab_id).values_list("order_id", flat=True).get(pk=bad.revision_id)
        order = Order.objects.of(bad.lab_id).select_for_update().get(pk=order_pk)
        latest = order.latest_number == bad.number
        state = RevisionState.RETRY if latest else RevisionState.QUARANTINED
        stored = Revision.objects.of(bad.lab_id).filter(pk=bad.revision_id, state__in=HAS_FILES)
        changed = stored.update(
            state=state, reason=REASON, next_due=now if latest else None, attempts=0, own_failures=0,
            lease_token=None, lease_until=None, expected_size=None,
        )  # fmt: skip
        if not changed:
            return None
        _announced_once_more(bad)
        note(order, "case.repaired", scan=bad.number, problem=bad.code, state=state)
        record(order, REASON, revision=Revision.objects.of(bad.lab_id).get(pk=bad.revision_id), number=bad.number,
               reason=REASON)  # fmt: skip
        settle(order)
    return state


def _put_aside(archive: str) -> None:
    """Beside its place, never deleted: a damaged zip may still give a person something back. With S3 the bucket's own
    versions keep it, when the new one is uploaded."""
    path = store.local_path(archive)
    if path is None:
        return
    with suppress(FileNotFoundError):
        path.rename(path.with_name(f"{path.name}.damaged-{timezone.now():%Y%m%dT%H%M%S%f}"))
        store.sync_folder(path.parent)


def _announced_once_more(bad: Bad) -> None:
    """A revision is announced once a kind; the old line keeps its place in the sequence under another name, so that
    readers of the sequence learn of the new files."""
    for event in Event.objects.of(bad.lab_id).filter(revision_id=bad.revision_id, kind="revision.stored"):
        event.kind = f"revision.damaged.{event.seq}"
        event.save(update_fields=["kind"])


def readmit(lab_id: UUID) -> list[Revision]:
    """Stopped revisions whose right file lies in its place again (from a backup) count as stored again."""
    with in_lab(lab_id):
        once_stored = Revision.objects.of(lab_id).filter(state__in=STOPPED).exclude(archive="").exclude(sha256="")
        candidates = list(once_stored.select_related("order"))
    return [revision for revision in candidates if not check_archive(revision) and _readmitted(revision)]


def _readmitted(revision: Revision) -> bool:
    """Its read files are in the rows still, if it ever was read; else the sweep has it read."""
    state = RevisionState.READY if revision.ready_at else RevisionState.STORED
    with in_lab(revision.lab_id):
        rows = Revision.objects.of(revision.lab_id).filter(pk=revision.pk, state=revision.state)
        if not rows.update(state=state, reason="", next_due=None if revision.ready_at else timezone.now()):
            return False
        settle(revision.order)
        if not Event.objects.of(revision.lab_id).filter(revision=revision, kind="revision.stored").exists():
            announce(revision, "revision.stored")
        note(revision.order, "case.readmitted", revision=revision)
        record(revision.order, "readmitted", revision=revision, number=revision.number)
    return True
