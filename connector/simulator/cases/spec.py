"""What one invented case is: everything its zips hold follows from this record alone."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Family = Literal["restorative", "orthodontic"]
MeshFormat = Literal["ply", "stl"]

UPPER_TEETH = range(1, 17)  # ADA numbers run 1-16 over the upper jaw and 17-32 over the lower one
LOWER_TEETH = range(17, 33)


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One tooth of the prescription; `tooth` is its ADA number (1-32), shades may be empty."""

    tooth: int
    treatment: str
    material: str
    shade_system: str
    incisal: str
    body: str
    gingival: str


@dataclass(frozen=True, slots=True)
class CaseSpec:
    """An invented iTero case; equal specs give zips with equal bytes, `revision` counts the scans."""

    seed: int
    order_id: str
    rx_id: str
    order_code: str
    family: Family
    triangles: int
    patient_first: str
    patient_last: str
    chart_number: str
    doctor_id: str
    doctor_name: str
    doctor_license: str
    practice_id: str
    practice_name: str
    practice_address: str
    procedure: str
    case_type: str
    due_date: date
    scan_date: datetime
    notes: str
    items: tuple[CaseItem, ...]
    metadata_versions: tuple[str, ...]
    mesh_format: MeshFormat
    jaws_in_one: bool
    revision: int = 1

    def dice(self, topic: str) -> random.Random:
        """Random numbers of this case for one topic; topics do not disturb each other."""
        return random.Random(f"{self.seed}:{topic}")  # noqa: S311 - repeatable demo data, no secret

    @property
    def prepared(self) -> frozenset[int]:
        """ADA numbers of the teeth that the dentist ground to a stump."""
        return frozenset(item.tooth for item in self.items if item.treatment in PREPARED)

    @property
    def missing(self) -> frozenset[int]:
        """ADA numbers of the teeth that are not in the mouth: pontics and implants."""
        return frozenset(item.tooth for item in self.items if item.treatment in MISSING)


PREPARED = frozenset({"Crown", "Bridge: Abutment", "Onlay", "Inlay", "Veneer"})
MISSING = frozenset({"Bridge: Pontic", "Implant: Screw Retained", "Implant: Abutment and Crown"})
