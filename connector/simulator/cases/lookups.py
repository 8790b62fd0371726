"""The code tables that stand inside each metadata file (`RxDefines`); the numbers are ours."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table: its element, the element of one entry, and (name, code) pairs."""

    name: str
    entry: str
    codes: tuple[tuple[str, str], ...]


def code(table: Table, name: str) -> str:
    """The code of `name` in this table, raising KeyError for a name that it lacks."""
    return dict(table.codes)[name]


def _table(name: str, entry: str, first: int, *names: str) -> Table:
    return Table(name, entry, tuple((word, str(first + 3 * place)) for place, word in enumerate(names)))


RESTORATIONS = _table(
    "RestorationTypes", "Type", 101, "Crown", "Bridge: Abutment", "Bridge: Pontic", "Inlay", "Onlay", "Veneer",
    "Implant: Screw Retained", "Implant: Abutment and Crown",
)  # fmt: skip
MATERIALS = _table(
    "Materials", "Material", 7, "Ceramic: Zirconia", "Ceramic: Lithium Disilicate", "Ceramic: Layered Zirconia",
    "Metal: Non Precious", "Composite", "PMMA",
)  # fmt: skip
CASE_TYPES = _table(
    "CaseTypes", "CaseType", 2, "iRecord", "Restorative", "Invisalign + iRecord", "Retainer", "Night Guard"
)
BRIDGES = _table("BridgeTypes", "Type", 1, "Conventional", "Maryland")
IMPLANTS = _table(
    "ImplantTypes", "Type", 11, "Implant: Screw Retained", "Implant: Abutment and Crown", "Healing Abutment"
)
PREPARATIONS = _table("PreparationDesigns", "Design", 21, "Chamfer", "Shoulder", "Feather Edge")
SPECIFICATIONS = _table("Specifications", "Specification", 31, "Full contour", "Coping", "Cut back")
ABUTMENTS = _table("AbutmentTypes", "Type", 41, "Custom", "Stock")
ABUTMENT_MATERIALS = _table("AbutmentMaterials", "Material", 51, "Titanium", "Zirconia")
PONTICS = _table("PonticDesigns", "Design", 61, "Ovate", "Modified Ridge Lap", "Hygienic")

TABLES = (
    RESTORATIONS,
    MATERIALS,
    CASE_TYPES,
    BRIDGES,
    IMPLANTS,
    PREPARATIONS,
    SPECIFICATIONS,
    ABUTMENTS,
    ABUTMENT_MATERIALS,
    PONTICS,
)
