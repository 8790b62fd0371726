"""Pictures fetched without the scan: the fetch modes that leave the case on Align's list for other programs."""

import shutil
import tempfile
from pathlib import Path

from connector.intake.leases import release, renewing
from connector.orders import derived, store
from connector.orders.history import record
from connector.orders.models import Order, Revision, RevisionState
from connector.scans.examination import ExaminationFailed, examine
from connector.scans.examination_record import Examination
from labportal.labs.tenancy import in_lab


def keep_pictures(revision: Revision, zip_path: Path) -> None:
    """Keep the pictures of a thumbnails zip and leave the scan at Align until somebody asks for it."""
    folder = Path(tempfile.mkdtemp(dir=store.staging(revision.pk)))
    try:
        examination: Examination | None = examine(zip_path, folder, waiting=renewing(revision))
    except ExaminationFailed:
        examination = None  # no picture, but the case is here and can be asked for
    archive = store.archive_name(revision.lab_id, revision.order_id, revision.pk)
    names = keep_thumbnails(examination, folder, archive)[1] if examination else []
    # Before the release, and only what is ours: from then on another worker may build the scan's zip beside it.
    shutil.rmtree(folder, ignore_errors=True)
    zip_path.unlink(missing_ok=True)
    with in_lab(revision.lab_id):
        release(revision, state=RevisionState.ASKED_LATER, reason="", next_due=None, attempts=0, own_failures=0)
        record(revision.order, "pictures", revision=revision)
        if names:
            Order.objects.of(revision.lab_id).filter(pk=revision.order_id).update(thumbnail=names[0])


def keep_thumbnails(examination: Examination, folder: Path, archive: str) -> tuple[dict[int, str], list[str]]:
    """Move the re-encoded pictures into the store: (zip member → picture's name, the small ones' names, general view
    first)."""
    large, small = {}, []
    for file in sorted(examination.files, key=lambda f: ("penta" in f.name.lower(), f.name)):
        if file.role != "thumbnail":
            continue
        if file.thumbnail:
            large[file.member_index] = derived.keep(archive, folder / file.thumbnail)
        if file.thumbnail_small:
            small.append(derived.keep(archive, folder / file.thumbnail_small))
    return large, small
