"""The download protocol, step by step. A crash between any two steps loses nothing: the row is there before the bytes.

1 the revision is SEEN · 2 preflight, before the consuming call: disk, token · 3 FETCHING under a lease · 4 a complete
leftover is adopted, else the zip is streamed, hashed and fsynced into staging · 5 the zip is checked · 6 one
transaction: STORED, hash, size, outgoing event, timeline; the zip is renamed and its folder fsynced while the
transaction holds the row, so that a late writer can't touch a newer file · 7 the files are read, staging is cleared.
"""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from connector.intake.download import ring_download, ring_examine
from connector.intake.leases import LeaseLost, claim_next, due, release, renewing
from connector.intake.outcome import failed
from connector.intake.pairing_row import not_paused
from connector.intake.pictures import keep_pictures
from connector.intake.staging import Staged, adopt, clear, lies_here, stage
from connector.itero.errors import Gone, IteroError
from connector.orders import store
from connector.orders.history import announce, record
from connector.orders.models import SUPERSEDED, Order, Revision, RevisionState, Wants
from connector.orders.sizes import in_bytes
from connector.orders.trail import note
from connector.pairing.access import PairingStopped, access_for, call
from connector.pairing.models import Pairing
from connector.scans.checking import CheckFailed
from connector.scans.rejection import ArchiveRejected
from labportal.faults import fault
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

DISK_WAIT = timedelta(minutes=5)
READ_WAIT = timedelta(minutes=2)


def fetch_next(lab_id: UUID, pairing_id: UUID) -> Revision | None:
    """Fetch the pairing's next due revision, and ring for the one after it. None when nothing could be claimed."""
    if not _preflight(lab_id, pairing_id):
        return None
    revision = claim_next(lab_id, pairing_id)
    if revision is None:
        return None
    fault("claim.after_commit")
    try:
        _fetch(revision)
        fault("store.after_commit")
    except LeaseLost:
        return None
    except (IteroError, PairingStopped, SealError, ArchiveRejected, CheckFailed, OSError) as error:
        failed(revision, error)
    finally:
        _ring_if_more(lab_id, pairing_id)
    return revision


def _preflight(lab_id: UUID, pairing_id: UUID) -> bool:
    """Before the call that consumes the order: may we ask Align, is there room, is the token good for minutes?"""
    with in_lab(lab_id):
        if not Pairing.objects.of(lab_id).filter(not_paused(timezone.now()), pk=pairing_id).exists():
            return False
        if not _room(lab_id, pairing_id):
            return False
    try:
        access_for(lab_id, pairing_id)
    except (IteroError, PairingStopped, SealError):
        return False  # the pairing's own row says why, and the sweep comes back
    return True


def _room(lab_id: UUID, pairing_id: UUID) -> bool:
    """Put off what does not fit on the disk; smaller cases go on, and those that lie on it already: to store them makes
    room. False when nothing does."""
    fits = store.largest_that_fits()
    waiting = Revision.objects.of(lab_id).filter(due(), order__pairing_id=pairing_id)
    large = waiting.filter(expected_size__gt=fits) if fits else waiting
    here = [revision.pk for revision in large if lies_here(revision)]
    large.exclude(pk__in=here).update(
        state=RevisionState.RETRY, reason="disk_low", next_due=timezone.now() + DISK_WAIT, lease_token=None,
        lease_until=None,
    )  # fmt: skip
    return fits > 0 or bool(here)


def _must_wait(revision: Revision) -> bool:
    """As `_room`, when what lay here was no good zip: the consuming call would go out after all."""
    fits = store.largest_that_fits()
    if fits and (revision.expected_size or 0) <= fits:
        return False
    with in_lab(revision.lab_id):
        release(revision, state=RevisionState.RETRY, reason="disk_low", next_due=timezone.now() + DISK_WAIT)
    return True


def _fetch(revision: Revision) -> None:
    staged = adopt(revision)
    if staged is None and (_is_replaced(revision) or _must_wait(revision)):
        return
    staged = staged or _download(revision)
    if revision.wants == Wants.THUMBNAILS:
        keep_pictures(revision, staged.path)
    else:
        _store(revision, staged)


def _is_replaced(revision: Revision) -> bool:
    """Whether Align shows a newer appearance by now. Then a download would bring the newer files, under the older
    number, and the newer revision might find them gone."""
    with in_lab(revision.lab_id):
        newest = Order.with_erased.of(revision.lab_id).values_list("latest_number", flat=True).get(pk=revision.order_id)
        if newest == revision.number:
            return False
        release(revision, state=RevisionState.SUPERSEDED, reason=SUPERSEDED, next_due=None)
        record(revision.order, "superseded", revision=revision, number=revision.number)
    clear(revision)
    return True


def _download(revision: Revision) -> Staged:
    with in_lab(revision.lab_id):
        record(revision.order, "fetching", revision=revision)
    try:
        return call(revision.lab_id, revision.order.pairing_id, lambda access: stage(access, revision))
    except Gone:
        if (leftover := adopt(revision, of_any_size=True)) is not None:
            return leftover
        raise


def _store(revision: Revision, staged: Staged) -> None:
    """The one transaction that makes it true. The reading is rung for in it."""
    name = store.archive_name(revision.lab_id, revision.order_id, revision.pk)
    try:
        store.upload(staged.path, name, waiting=renewing(revision))
    except LeaseLost:
        _arrived_late(revision)
        raise
    fault("store.after_upload")
    now = timezone.now()
    with in_lab(revision.lab_id):
        release(
            revision,
            state=RevisionState.STORED,
            reason="",
            next_due=now + READ_WAIT,
            archive=name,
            sha256=staged.sha256,
            size=staged.size,
            pieces=b"",
            checked_at=None,
            stored_at=now,
        )
        fault("store.after_state")
        store.take_over(staged.path, name)
        announce(revision, "revision.stored")
        note(revision.order, "case.stored", revision=revision, sha256=staged.sha256)
        record(revision.order, "stored", revision=revision, number=revision.number, size=in_bytes(staged.size))
        revision.order.save(update_fields=["updated_at"])
        ring_examine(revision.lab_id, revision.pk)
        fault("store.before_commit")


def _arrived_late(revision: Revision) -> None:
    """If the case was removed during the upload, what arrived after the removal is due to be removed as well."""
    with in_lab(revision.lab_id):
        mine = Revision.objects.of(revision.lab_id).filter(pk=revision.pk)
        mine.filter(state=RevisionState.ERASED).update(next_due=timezone.now())


def _ring_if_more(lab_id: UUID, pairing_id: UUID) -> None:
    with in_lab(lab_id):
        if Revision.objects.of(lab_id).filter(due(), order__pairing_id=pairing_id).exists():
            ring_download(lab_id, pairing_id)
