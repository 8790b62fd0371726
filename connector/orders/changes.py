"""What changed from one revision to the next: status, files by hash, Rx fields."""

from collections.abc import Mapping, Sequence
from typing import Any

from connector.orders.models import Revision, ScanFile

SHOWN_ROLES = {
    "upper": "Upper jaw", "lower": "Lower jaw", "both": "Both jaws", "pre_treatment": "Pre-treatment scan",
    "margin": "Margin line", "thumbnail": "Picture", "texture": "Colour image", "metadata": "Metadata",
    "rx": "Prescription", "other": "Other file",
}  # fmt: skip
COMPARED = ("upper", "lower", "both", "pre_treatment", "margin")
RX_FIELDS = {"procedure": "Procedure", "case_type": "Case type", "due_date": "Due date", "notes": "Notes"}


def changes(before: Revision, after: Revision, files: Mapping[Any, Sequence[ScanFile]]) -> list[str]:
    """Sentences; `files` maps revision id to its files. Empty when the files are not read yet and all else is equal."""
    said = []
    if before.vendor_status != after.vendor_status:
        said.append(f"Status: {before.vendor_status} → {after.vendor_status}")
    old, new = _hashes(files.get(before.pk, [])), _hashes(files.get(after.pk, []))
    if old and new:
        for role in COMPARED:
            if role in old or role in new:
                said.append(f"{SHOWN_ROLES[role]}: {_compared(old.get(role), new.get(role))}")
    for field, label in RX_FIELDS.items():
        if before.rx.get(field) != after.rx.get(field):
            said.append(f"{label} changed")
    if before.rx.get("treatments") != after.rx.get("treatments"):
        said.append("Teeth or materials changed")
    return said


def _hashes(files: Sequence[ScanFile]) -> dict[str, frozenset[str]]:
    grouped: dict[str, set[str]] = {}
    for file in files:
        grouped.setdefault(file.role, set()).add(file.sha256)
    return {role: frozenset(hashes) for role, hashes in grouped.items()}


def _compared(old: frozenset[str] | None, new: frozenset[str] | None) -> str:
    if old is None:
        return "added"
    if new is None:
        return "no longer there"
    return "identical" if old == new else "new"
