"""What dentists order: procedures with their teeth, materials and shades."""

from __future__ import annotations

import random
from dataclasses import dataclass

from connector.simulator.cases.spec import CaseItem, Family

SHADES: dict[str, tuple[str, ...]] = {
    "VITA Lumin": ("A1", "A2", "A3", "A3.5", "B1", "B2", "C1", "D2"),
    "VITA Toothguide 3D-MASTER": ("1M1", "1M2", "2M1", "2M2", "3M1", "3R1.5"),
    "Ivoclar Vivadent Chromascop": ("110", "120", "130", "210", "220"),
}
MATERIALS = (
    "Ceramic: Zirconia",
    "Ceramic: Lithium Disilicate",
    "Ceramic: Layered Zirconia",
    "Metal: Non Precious",
    "Composite",
    "PMMA",
)
POSTERIOR = (2, 3, 4, 5, 12, 13, 14, 15, 18, 19, 20, 21, 28, 29, 30, 31)
FRONT = (7, 8, 9, 10)


@dataclass(frozen=True, slots=True)
class Prescription:
    """A procedure, the case type that metadata names, and the teeth with what each one gets."""

    procedure: str
    case_type: str
    items: tuple[CaseItem, ...] = ()


def restorative(dice: random.Random) -> Prescription:
    """A restorative prescription: mostly crowns, then bridges, implants, inlays and veneers."""
    kind = dice.choices(("crown", "bridge", "implant", "inlay", "veneers", "guard"), (45, 15, 14, 10, 10, 6))[0]
    if kind == "guard":
        return Prescription("Appliance", "Night Guard")
    teeth = _teeth(dice, kind)
    treatments: tuple[str, ...]
    if kind == "bridge":
        treatments = ("Bridge: Abutment", "Bridge: Pontic", "Bridge: Abutment")
    else:
        word = {
            "crown": "Crown",
            "implant": dice.choice(("Implant: Screw Retained", "Implant: Abutment and Crown")),
            "inlay": dice.choice(("Inlay", "Onlay")),
            "veneers": "Veneer",
        }[kind]
        treatments = (word,) * len(teeth)
    procedure = "Implant Planning" if kind == "implant" and dice.random() < 0.2 else "Fixed Restorative"
    return Prescription(procedure, "iRecord" if dice.random() < 0.4 else "Restorative", _items(dice, teeth, treatments))


def orthodontic(dice: random.Random) -> Prescription:
    """An orthodontic prescription: a record, aligners, a retainer or a night guard."""
    return dice.choice(
        (
            Prescription("iRecord", "iRecord"),
            Prescription("Invisalign", "Invisalign + iRecord"),
            Prescription("Study Model/iRecord", "iRecord"),
            Prescription("Appliance", "Retainer"),
            Prescription("Appliance", "Night Guard"),
        )
    )


def prescription(dice: random.Random, family: Family) -> Prescription:
    """What a case of this family asks for."""
    return restorative(dice) if family == "restorative" else orthodontic(dice)


def _teeth(dice: random.Random, kind: str) -> tuple[int, ...]:
    if kind == "bridge":
        middle = dice.choice((4, 13, 20, 29, 3, 14, 19, 30))
        return (middle - 1, middle, middle + 1)
    if kind == "veneers":
        return FRONT if dice.random() < 0.5 else (8, 9)
    if kind == "crown" and dice.random() < 0.25:
        return (dice.choice((6, 7, 8, 9, 10, 11, 22, 27)),)
    first = dice.choice(POSTERIOR)
    return (first,)


def _items(dice: random.Random, teeth: tuple[int, ...], treatments: tuple[str, ...]) -> tuple[CaseItem, ...]:
    system = dice.choice(tuple(SHADES))
    body = dice.choice(SHADES[system])
    incisal = dice.choice(SHADES[system]) if dice.random() < 0.6 else body
    material = dice.choice(MATERIALS)
    return tuple(
        CaseItem(tooth, treatment, material, system, incisal, body, body)
        for tooth, treatment in zip(teeth, treatments, strict=True)
    )
