"""STORED → READY: what is in the zip becomes files, teeth and previews. Storing never waits for it."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.db import DataError
from django.utils import timezone

from connector.intake.facts import list_words
from connector.intake.leases import LeaseLost, claim_reading, held_for_reading
from connector.intake.pictures import keep_thumbnails
from connector.intake.staging import clear
from connector.orders import derived, store
from connector.orders.history import record
from connector.orders.models import Order, Restoration, Revision, RevisionState, ScanFile
from connector.orders.repair import Bad, repair
from connector.orders.soundness import CHANGED, look
from connector.scans.examination import ExaminationFailed, examine
from connector.scans.examination_record import Examination
from connector.scans.metadata import CaseMetadata
from connector.scans.metadata import Restoration as OrderedTooth
from connector.scans.rejection import ArchiveRejected
from labportal.faults import fault
from labportal.labs.tenancy import in_lab

READ_ANEW = ("name", "role", "size", "sha256", "triangles", "box_mm", "preview", "problem")


def read_revision(lab_id: UUID, revision_id: UUID) -> None:
    """Examine a stored zip in a child process. Whatever goes wrong, the case ends READY with its zip to download."""
    revision = claim_reading(lab_id, revision_id)
    if revision is not None:
        with suppress(LeaseLost):  # another one reads it, or the case is gone: nothing is written
            _read(revision)


def _read(revision: Revision) -> None:
    lab_id = revision.lab_id
    fault("reading.after_turn")
    clear(revision)  # what a crash before or in an earlier reading left
    folder = Path(tempfile.mkdtemp(dir=store.staging(revision.pk)))
    reason, examination = "", None
    try:
        with store.as_local_file(revision.archive) as path:
            examination = examine(path, folder)
        fault("reading.after_examine")
        _still_ours(revision)
        previews, small = keep_thumbnails(examination, folder, revision.archive)
        for file in examination.files:
            if file.preview and (folder / file.preview).exists():
                previews[file.member_index] = derived.keep(revision.archive, folder / file.preview)
        fault("reading.after_previews")
    except (ExaminationFailed, ArchiveRejected) as error:
        if isinstance(error, ArchiveRejected) and look(revision).code == CHANGED:
            repair(Bad(revision, CHANGED))  # it was safe when it was stored: the disk has changed it since
            return
        reason, small, previews = error.code, [], {}
    finally:
        _leave(folder)
    try:
        with in_lab(lab_id):
            _ready(revision, examination, previews, small, reason or _of_the_case(examination))
    except (DataError, ValueError):  # the file says something that our tables can't hold
        with in_lab(lab_id):
            _ready(revision, None, {}, [], "bad_answer")


def _still_ours(revision: Revision) -> None:
    """Errors: LeaseLost."""
    with in_lab(revision.lab_id):
        if not held_for_reading(revision).exists():
            raise LeaseLost


def _leave(folder: Path) -> None:
    """Our own folder only: beside it may lie that of a worker who took over."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


def _of_the_case(examination: Examination | None) -> str:
    """A problem of the whole case; one of a single file is written on that file."""
    problems = examination.problems if examination else ()
    return next((problem.code for problem in problems if not problem.file_name), "")


def _ready(
    revision: Revision, examination: Examination | None, previews: dict[int, str], small: list[str], reason: str
) -> None:
    if not held_for_reading(revision).update(
        state=RevisionState.READY, reason=reason, next_due=None, lease_token=None, lease_until=None,
        ready_at=timezone.now(),
    ):  # fmt: skip
        raise LeaseLost
    order = Order.objects.of(revision.lab_id).select_for_update(no_key=True).get(pk=revision.order_id)
    if examination is not None:
        _keep_files(revision, examination, previews)
        if examination.metadata is not None and revision.number == order.latest_number:
            _add_metadata(order, examination.metadata)
    order.thumbnail = _small_picture(order, revision, small)
    order.save()
    if reason:
        record(order, "unreadable", revision=revision, reason=reason)
    else:
        record(order, "ready", revision=revision)
    fault("reading.before_commit")


def _small_picture(order: Order, revision: Revision, small: list[str]) -> str:
    """The latest scan's picture stands for the case in lists; one of this scan that can't be shown any more is replaced
    or given up, whichever scan is the latest."""
    if small and revision.number == order.latest_number:
        return small[0]
    ours = order.thumbnail.startswith(store.derived_name(revision.archive, ""))
    if ours and order.thumbnail not in small and derived.look_at(order.thumbnail) in (derived.CHANGED, derived.MISSING):
        return small[0] if small else ""
    return order.thumbnail


def _keep_files(revision: Revision, examination: Examination, previews: dict[int, str]) -> None:
    """Read once more, a file keeps its row: its id stands in addresses, and in what the LMS was told."""
    problems = {problem.file_name: problem.code for problem in examination.problems}
    here = [file.member_index for file in examination.files]
    ScanFile.objects.of(revision.lab_id).filter(revision=revision).exclude(member__in=here).delete()
    rows = [
        ScanFile(
            lab_id=revision.lab_id,
            revision=revision,
            member=file.member_index,
            name=file.name[-400:],
            role="other" if file.junk else file.role,
            size=file.size,
            sha256=file.sha256,
            triangles=file.triangles,
            box_mm=list(file.box_mm) if file.box_mm else None,
            preview=previews.get(file.member_index, ""),
            problem=problems.get(file.display_name, ""),
        )
        for file in examination.files
    ]
    ScanFile.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["lab", "revision", "member"], update_fields=READ_ANEW
    )


def _add_metadata(order: Order, metadata: CaseMetadata) -> None:
    """The file fills what the API left empty, and adds each tooth's details; it never overrides the API's word."""
    order.patient_first = order.patient_first or metadata.patient_first[:300]
    order.patient_last = order.patient_last or metadata.patient_last[:300]
    order.practice_address = order.practice_address or metadata.practice_address[:500]
    order.notes = order.notes or metadata.notes
    order.chart_number = order.chart_number or metadata.chart_number[:120]
    order.doctor = order.doctor or metadata.doctor[:300]
    order.doctor_license = order.doctor_license or metadata.doctor_license[:120]
    order.due_date = order.due_date or metadata.due_date
    order.case_type = order.case_type or metadata.case_type[:200]
    if not order.teeth and metadata.restorations:
        first = metadata.restorations[0]
        order.teeth = sorted({tooth.tooth_ada for tooth in metadata.restorations})
        list_words(order, first.treatment, first.material, first.middle or first.incisal)
    known = {r.tooth: r for r in Restoration.objects.of(order.lab_id).filter(order=order)}
    for tooth in metadata.restorations:
        row = known.get(tooth.tooth_ada) or Restoration(lab_id=order.lab_id, order=order, tooth=tooth.tooth_ada)
        _add_tooth(row, tooth, metadata.shade_system)


def _add_tooth(row: Restoration, tooth: OrderedTooth, shade_system: str) -> None:
    row.treatment = row.treatment or tooth.treatment[:200]
    row.material = row.material or tooth.material[:200]
    row.incisal, row.body = row.incisal or tooth.incisal[:40], row.body or tooth.middle[:40]
    row.gingival = row.gingival or tooth.gingival[:40]
    row.shade_system = row.shade_system or shade_system[:80]
    extra = {
        "die": tooth.die, "preparation_buccal": tooth.preparation_buccal,
        "preparation_lingual": tooth.preparation_lingual, "specification": tooth.specification,
        "abutment": tooth.abutment, "pontic_design": tooth.pontic_design,
    }  # fmt: skip
    row.details = {key: value for key, value in extra.items() if value}
    row.save()
