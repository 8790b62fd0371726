"""The metadata of a case as Align's export writes it, resolved into words."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from connector.scans.junk import is_junk

VERSIONED = re.compile(r"itero.*export.*?(?:_v(\d+)(?:\.(\d))?)?\.xml", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Restoration:
    """What the doctor ordered for one tooth (ADA number); a text that is absent is ''."""

    tooth_ada: int
    treatment: str = ""
    material: str = ""
    incisal: str = ""
    middle: str = ""
    gingival: str = ""
    die: str = ""
    preparation_buccal: str = ""
    preparation_lingual: str = ""
    specification: str = ""
    implant_restoration: str = ""
    abutment: str = ""
    abutment_material: str = ""
    pontic_design: str = ""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge from one tooth to another (ADA numbers)."""

    bridge_id: str
    kind: str
    from_ada: int
    to_ada: int


@dataclass(frozen=True, slots=True)
class ExportedObject:
    """A file as the metadata lists it: 'Surface' / 'Jaw' / 'Upper', tooth (ADA) or None, file name."""

    object_type: str
    sub_type: str
    jaw: str
    tooth_ada: int | None
    file_name: str


@dataclass(frozen=True, slots=True)
class CaseMetadata:
    """One `iTeroExport` document; texts that are absent are '', scanned ranges are (from, to) in ADA numbers."""

    version: str
    order_id: str = ""
    order_code: str = ""
    case_type: str = ""
    patient_first: str = ""
    patient_last: str = ""
    chart_number: str = ""
    doctor: str = ""
    doctor_id: str = ""
    doctor_license: str = ""
    practice_id: str = ""
    practice_address: str = ""
    lab_id: str = ""
    lab_name: str = ""
    due_date: date | None = None
    export_time: datetime | None = None
    notes: str = ""
    shade_system: str = ""
    upper_range: tuple[int, int] | None = None
    lower_range: tuple[int, int] | None = None
    restorations: tuple[Restoration, ...] = ()
    bridges: tuple[Bridge, ...] = ()
    objects: tuple[ExportedObject, ...] = ()


def metadata_names(names: Iterable[str]) -> list[str]:
    """The names of metadata documents, highest version first, whatever their case and folder."""
    ranked = [(_version(name), -name.count("/"), name) for name in names if not is_junk(name)]
    return [name for version, _, name in sorted(ranked, reverse=True) if version >= 0]


def find_metadata(names: Iterable[str]) -> str | None:
    """The metadata document with the highest version, or None."""
    found = metadata_names(names)
    return found[0] if found else None


def _version(name: str) -> int:
    """30 for `…_v30.xml`, 0 for a document without a version, -1 for any other file."""
    match = VERSIONED.fullmatch(name.rpartition("/")[2])
    if match is None:
        return -1
    whole, tenth = match[1], match[2]
    return int((whole or "0")[:6]) * (10 if tenth else 1) + int(tenth or 0)
