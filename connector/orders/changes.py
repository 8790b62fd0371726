"""What changed from one revision to the next: status, every file by its hash, Rx fields."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from connector.orders.models import Revision, ScanFile
from connector.orders.words import tooth_label
from connector.scans.junk import is_junk

SHOWN_ROLES = {
    "upper": "Upper jaw", "lower": "Lower jaw", "both": "Both jaws", "pre_treatment": "Pre-treatment scan",
    "margin": "Margin line", "thumbnail": "Picture", "texture": "Colour image", "metadata": "Metadata",
    "rx": "Prescription sheet", "other": "Other file",
}  # fmt: skip
# Of these the lab wants to read that they stayed as they were; of the other files only what is different is said.
COMPARED = ("upper", "lower", "both", "pre_treatment", "margin")
GROUPS = {"margin": "Margin lines", "thumbnail": "Pictures", "texture": "Colour images", "other": "Other files"}
RX_FIELDS = {"procedure": "Procedure", "case_type": "Case type", "due_date": "Due date", "notes": "Notes"}


def changes(
    before: Revision, after: Revision, files: Mapping[Any, Sequence[ScanFile]], notation: str = ""
) -> list[str]:
    """Sentences; `files` maps revision id to its files, `notation` is how the lab counts teeth. Empty when the files
    are not read yet and all else is equal."""
    said = []
    if before.vendor_status != after.vendor_status:
        said.append(f"Status: {before.vendor_status} → {after.vendor_status}")
    old, new = files.get(before.pk, []), files.get(after.pk, [])
    if old and new:
        said += _of_files(_groups(old, notation), _groups(new, notation))
    for field, label in RX_FIELDS.items():
        if before.rx.get(field) != after.rx.get(field):
            said.append(f"{label} changed")
    if before.rx.get("treatments") != after.rx.get("treatments"):
        said.append("Teeth or materials changed")
    return said


def stump_label(file: ScanFile, notation: str) -> str:
    """ "Stump 16"; '' for any other file. A stump comes as an "other" file of a prepared tooth, by its ADA number."""
    stump = re.search(r"tooth_(\d{1,2})_with_ditch", file.name.rsplit("/", 1)[-1], re.IGNORECASE)
    if stump is None or file.role != "other" or is_junk(file.name):
        return ""
    return f"Stump {tooth_label(int(stump[1]), notation)}"


def _groups(files: Sequence[ScanFile], notation: str) -> dict[tuple[str, str], list[str]]:
    """(role, label) → hashes: each file of a revision is in one group."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for file in files:
        label = stump_label(file, notation) or SHOWN_ROLES.get(file.role, SHOWN_ROLES["other"])
        grouped.setdefault((file.role, label), []).append(file.sha256)
    return grouped


def _of_files(old: dict[tuple[str, str], list[str]], new: dict[tuple[str, str], list[str]]) -> list[str]:
    order = list(SHOWN_ROLES)

    def place(group: tuple[str, str]) -> tuple[int, bool, str]:
        role, label = group
        return order.index(role) if role in order else len(order), label == SHOWN_ROLES["other"], label

    said = []
    for role, label in sorted({*old, *new}, key=place):
        here, there = new.get((role, label), []), old.get((role, label), [])
        words = _compared(there, here)
        if words != "identical" or role in COMPARED:
            several = max(len(here), len(there)) > 1
            said.append(f"{GROUPS.get(role, label) if several and label == SHOWN_ROLES.get(role) else label}: {words}")
    return said


def _compared(old: list[str], new: list[str]) -> str:
    """Files are matched by their content, whatever they are called."""
    gone, came = (Counter(old) - Counter(new)).total(), (Counter(new) - Counter(old)).total()
    if not gone and not came:
        return "identical"
    replaced = min(gone, came)
    if max(len(old), len(new)) == 1:
        return "changed" if replaced else "added" if came else "no longer there"
    parts = [
        f"{replaced} of {len(new)} changed" if replaced else "",
        f"{came - replaced} added" if came > replaced else "",
        f"{gone - replaced} no longer there" if gone > replaced else "",
    ]
    return ", ".join(part for part in parts if part)
