"""The scans of a case for its page: revisions and what changed, files, pictures, models for the 3D view."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse

from connector.orders.changes import SHOWN_ROLES, changes, stump_label
from connector.orders.models import Order, Revision, RevisionState, ScanFile
from connector.orders.sizes import in_bytes
from connector.orders.words import moment_words, revision_label
from connector.scans.examination_record import PROBLEM_WORDS

TONES = {
    RevisionState.READY: "ok", RevisionState.STORED: "ok", RevisionState.SEEN: "info", RevisionState.FETCHING: "info",
    RevisionState.RETRY: "warn", RevisionState.ASKED_LATER: "warn", RevisionState.SUPERSEDED: "info",
}  # fmt: skip
MODEL_ROLES = ("upper", "lower", "both", "pre_treatment", "other")


def shown_revision(revisions: Sequence[Revision], number: int | None) -> Revision | None:
    """The revision asked for; else, and for a number that there is not, the latest that has files."""
    asked = next((r for r in revisions if r.number == number), None)
    with_files = [r for r in revisions if r.has_files]
    return asked or next(reversed(with_files or revisions), None)


def revision_facts(
    order: Order, revisions: Sequence[Revision], shown: Revision | None, files: Mapping[Any, Sequence[ScanFile]],
    now: datetime, zone: ZoneInfo, notation: str = "",
) -> list[dict[str, Any]]:  # fmt: skip
    previous = dict(zip([r.pk for r in revisions[1:]], revisions, strict=False))
    return [
        {
            "number": r.number,
            "label": revision_label(r.number, r.cause),
            "when": moment_words(r.seen_at, now, zone),
            "state": RevisionState(r.state).label,
            "tone": TONES.get(RevisionState(r.state), "bad"),
            "url": f"{reverse('case', args=[order.pk])}?revision={r.number}",
            "shown": shown is not None and r.pk == shown.pk,
            "changed": changes(previous[r.pk], r, files, notation) if r.pk in previous else [],
        }
        for r in reversed(revisions)
    ]


def pictures(order: Order, files: Sequence[ScanFile]) -> list[dict[str, str]]:
    """The scan's pictures. Of a case whose files are still at Align, the one that the inbox shows."""
    own = [
        {"url": reverse("picture", args=[order.pk, file.pk]), "alt": file.name.rsplit("/", 1)[-1]}
        for file in files
        if file.role == "thumbnail"
    ]
    if own or not order.thumbnail:
        return own
    return [{"url": reverse("thumbnail", args=[order.pk]), "alt": "The scan, seen from the front"}]


def file_facts(order: Order, file: ScanFile, notation: str = "") -> dict[str, Any]:
    problem = PROBLEM_WORDS.get(file.problem, file.problem)
    role = stump_label(file, notation) or SHOWN_ROLES.get(file.role, file.role)
    return {
        "name": file.name.rsplit("/", 1)[-1],
        "role": role + (f" – {problem}" if problem else ""),
        "size": in_bytes(file.size),
        "sha256": file.sha256,
        "triangles": f"{file.triangles:,}" if file.triangles else "",
        "box": " × ".join(f"{side:.0f}" for side in file.box_mm) + " mm" if file.box_mm else "",
        "url": reverse("file", args=[order.pk, file.pk]),
    }


def unreadable_scans(files: Sequence[ScanFile], notation: str = "") -> list[str]:
    """A sentence for each jaw or stump that the portal could not read: the 3D view just lacks it."""
    return [
        f"{_model_label(file, notation)}: {PROBLEM_WORDS.get(file.problem, file.problem)}"
        for file in files
        if file.problem and (file.role in MODEL_ROLES[:-1] or stump_label(file, notation))
    ]


def is_model(file: ScanFile) -> bool:
    """Whether the 3D view can show it."""
    return bool(file.preview) and file.role in MODEL_ROLES


def model_facts(order: Order, file: ScanFile, notation: str) -> dict[str, Any]:
    return {
        "role": file.role,
        "label": _model_label(file, notation),
        "url": reverse("preview", args=[order.pk, file.pk]),
        "format": "ply",
        "bytes": file.size,
    }


def _model_label(file: ScanFile, notation: str) -> str:
    """What the 3D view's button says."""
    if file.role != "other":
        return SHOWN_ROLES.get(file.role, "Scan")
    return stump_label(file, notation) or file.name.rsplit("/", 1)[-1]
