"""The download protocol, step by step. A crash between any two steps loses nothing: the row is there before the bytes.

1 the revision is SEEN · 2 preflight, before the consuming call: disk, token · 3 FETCHING under a lease · 4 a complete
leftover is adopted, else the zip is streamed, hashed and fsynced into staging · 5 the zip is checked · 6 renamed, folder
fsynced · 7 one transaction: STORED, hash, size, outgoing event, timeline · 8 staging is cleared, the files are read.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from connector.intake.download import ring_download, ring_examine
from connector.intake.leases import LeaseLost, claim_next, due, release, renew
from connector.intake.outcome import failed
from connector.intake.pictures import keep_pictures
from connector.intake.staging import Staged, adopt, clear, stage
from connector.itero.errors import IteroError
from connector.orders import store
from connector.orders.history import announce, record
from connector.orders.models import Revision, RevisionState, Wants
from connector.orders.sizes import in_bytes
from connector.pairing.access import Access, PairingStopped, access_for, call
from connector.pairing.models import Pairing
from connector.scans import ArchiveRejected
from labportal.labs.tenancy import in_lab

DISK_WAIT = timedelta(minutes=5)


def fetch_next(lab_id: UUID, pairing_id: UUID) -> Revision | None:
    """Fetch the pairing's next due revision, and ring for the one after it. None when nothing could be claimed."""
    if not _preflight(lab_id, pairing_id):
        return None
    revision = claim_next(lab_id, pairing_id)
    if revision is None:
        return None
    try:
        _fetch(revision)
    except LeaseLost:
        return None
    except (IteroError, PairingStopped, ArchiveRejected, OSError) as error:
        failed(revision, error)
    finally:
        _ring_if_more(lab_id, pairing_id)
    return revision


def _preflight(lab_id: UUID, pairing_id: UUID) -> bool:
    """Before the call that consumes the order: may we ask Align, is the token good for minutes, is there room?"""
    with in_lab(lab_id):
        pairing = Pairing.objects.of(lab_id).get(pk=pairing_id)
        waiting = Revision.objects.of(lab_id).filter(due(), order__pairing=pairing)
        largest = (
            waiting.order_by(F("expected_size").desc(nulls_last=True)).values_list("expected_size", flat=True).first()
        )
        if pairing.paused_until and pairing.paused_until > timezone.now():
            return False
        if not store.room_for(largest):
            waiting.filter(state__in=[RevisionState.SEEN, RevisionState.RETRY]).update(
                state=RevisionState.RETRY, reason="disk_low", next_due=timezone.now() + DISK_WAIT
            )
            return False
    try:
        access_for(lab_id, pairing_id)
    except (IteroError, PairingStopped):
        return False  # the pairing's own row says why, and the sweep comes back
    return True


def _fetch(revision: Revision) -> None:
    with in_lab(revision.lab_id):
        record(revision.order, "fetching", revision=revision)
    staged = adopt(revision)
    if staged is None:
        staged = call(revision.lab_id, revision.order.pairing_id, lambda access: _stage(access, revision))
    if revision.wants == Wants.THUMBNAILS:
        keep_pictures(revision, staged.path)
        clear(revision)
        return
    _store(revision, staged)
    clear(revision)


def _stage(access: Access, revision: Revision) -> Staged:
    return stage(access, revision, lambda: renew(revision))


def _store(revision: Revision, staged: Staged) -> None:
    """Final name first, then the one transaction that makes it true. The reading is rung for in it."""
    name = store.archive_name(revision.lab_id, revision.order_id, revision.pk)
    renew(revision)
    store.take_over(staged.path, name)
    now = timezone.now()
    with in_lab(revision.lab_id):
        release(
            revision,
            state=RevisionState.STORED,
            reason="",
            next_due=now + timedelta(minutes=2),
            archive=name,
            sha256=staged.sha256,
            size=staged.size,
            stored_at=now,
        )
        announce(revision, "revision.stored")
        record(revision.order, "stored", revision=revision, number=revision.number, size=in_bytes(staged.size))
        revision.order.save(update_fields=["updated_at"])
        ring_examine(revision.lab_id, revision.pk)


def _ring_if_more(lab_id: UUID, pairing_id: UUID) -> None:
    with in_lab(lab_id):
        if Revision.objects.of(lab_id).filter(due(), order__pairing_id=pairing_id).exists():
            ring_download(lab_id, pairing_id)
