"""What becomes of a stored zip that is missing or changed: the latest is fetched again, an older one is held back."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from connector.orders import derived, store
from connector.orders.history import announce, record
from connector.orders.models import HAS_FILES, STOPPED, Event, Order, Revision, RevisionState
from connector.orders.soundness import CHANGED, Look, look
from connector.orders.stopped import settle
from connector.orders.trail import note
from labportal.faults import fault
from labportal.labs.models import LabQuerySet
from labportal.labs.tenancy import in_lab

REASON = "damaged"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bad:
    """A stored revision, with its order, as it was when its zip was found `missing`, `changed` or `unreadable`, or
    what was made of it, by one of derived.CODES."""

    revision: Revision
    code: str


def stored(lab_id: UUID, revision_id: UUID) -> Revision | None:
    """The revision with its order, if its files are here."""
    with in_lab(lab_id):
        rows = Revision.objects.of(lab_id).filter(pk=revision_id, state__in=HAS_FILES)
        return rows.select_related("order").first()


def look_after(lab_id: UUID, revision_id: UUID) -> str:
    """Hash a stored zip and what was made of it, keep that they are sound or repair them; gives the code of the look,
    '' is good.

    What is missing or can't be read is only told to the operator: a store that is not mounted looks like that, for all
    scans at once. No transaction is open while bytes are read.
    """
    revision = stored(lab_id, revision_id)
    if revision is None:
        return ""
    found = look(revision)
    if found.code == CHANGED:
        repair(Bad(revision, CHANGED))
    elif found.code:
        log.error("stored_file_%s revision %s", found.code, revision.pk)
    else:
        with in_lab(lab_id):
            keep_sound(revision, found)
            _looked_at(revision)
        if code := derived.look(revision):
            log.error("stored_file_%s revision %s", code, revision.pk)
            if code != derived.UNREADABLE:
                repair(Bad(revision, code))
            return code
    return found.code


def keep_sound(revision: Revision, found: Look) -> None:
    """Write down when the zip was last sound, and its pieces, unless it was stored anew meanwhile."""
    revision.pieces = found.pieces
    _the_same(revision).update(checked_at=Now(), pieces=found.pieces)


def _looked_at(revision: Revision) -> None:
    """The lease of the look is over; one with a token is a reader's."""
    _the_same(revision).filter(lease_token=None).update(lease_until=None)


def _the_same(revision: Revision) -> LabQuerySet[Revision]:
    """Its row, while the zip is the one that was read with this revision."""
    return Revision.objects.of(revision.lab_id).filter(
        pk=revision.pk, state__in=HAS_FILES, sha256=revision.sha256, stored_at=revision.stored_at
    )


def repair(bad: Bad) -> RevisionState | None:
    """RETRY or QUARANTINED, or STORED when only what was made of it is made again, as the revision is now; None when
    somebody else has changed it meanwhile.

    The file goes aside before the row is changed: an intake that found it under its final name would adopt it. And it
    goes under the order's lock, when the row is still the one that was found bad: it may be whole again by now.
    """
    revision, now = bad.revision, timezone.now()
    if bad.code in derived.CODES:
        return RevisionState.STORED if derived.make_again(revision.lab_id, revision.pk) else None
    with in_lab(revision.lab_id):
        order = Order.objects.of(revision.lab_id).select_for_update().filter(pk=revision.order_id).first()
        if order is None or not _the_same(revision).exists():
            return None
        store.put_aside(revision.archive)
        fault("repair.after_aside")
        latest = order.latest_number == revision.number
        state = RevisionState.RETRY if latest else RevisionState.QUARANTINED
        changed = _the_same(revision).update(
            state=state, reason=REASON, next_due=now if latest else None, attempts=0, own_failures=0,
            lease_token=None, lease_until=None, expected_size=None,
        )  # fmt: skip
        if not changed:
            return None
        _announced_once_more(revision)
        note(order, "case.repaired", scan=revision.number, problem=bad.code, state=state)
        record(order, REASON, revision=revision, number=revision.number, reason=REASON)
        settle(order)
    log.error("stored_file_%s revision %s %s", bad.code, revision.pk, state)
    return state


def _announced_once_more(revision: Revision) -> None:
    """A revision is announced once a kind; the old line keeps its place in the sequence under another name, so that
    readers of the sequence learn of the new files."""
    for event in Event.objects.of(revision.lab_id).filter(revision_id=revision.pk, kind="revision.stored"):
        event.kind = f"revision.damaged.{event.seq}"
        event.save(update_fields=["kind"])


def readmit(lab_id: UUID) -> list[Revision]:
    """Stopped revisions whose right file lies in its place again (from a backup) count as stored again."""
    with in_lab(lab_id):
        once_stored = Revision.objects.of(lab_id).filter(state__in=STOPPED).exclude(archive="").exclude(sha256="")
        candidates = list(once_stored.select_related("order"))
    return [revision for revision in candidates if not look(revision).code and _readmitted(revision)]


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
