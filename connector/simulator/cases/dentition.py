"""Which teeth stand in a jaw, and how big each one is; sizes are ordinary textbook averages in mm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from connector.simulator.cases.spec import LOWER_TEETH, UPPER_TEETH, CaseSpec

Kind = Literal["incisor", "canine", "premolar", "molar", "ridge"]
Work = Literal["", "stump", "cavity", "veneer", "scan body"]

KINDS: tuple[Kind, ...] = ("incisor", "incisor", "canine", "premolar", "premolar", "molar", "molar", "molar")
# Sizes from the midline to the wisdom tooth: width along the arch, depth across it, height of the crown.
UPPER_SIZES = (
    (8.5, 7.1, 10.2), (6.7, 6.2, 8.8), (7.6, 8.0, 10.0), (7.0, 9.0, 8.2),
    (6.8, 9.0, 7.7), (10.2, 11.0, 7.2), (9.6, 10.8, 6.8), (8.4, 10.0, 6.0),
)  # fmt: skip
LOWER_SIZES = (
    (5.4, 5.9, 8.6), (5.9, 6.2, 8.9), (6.8, 7.5, 10.0), (7.0, 7.6, 8.4),
    (7.1, 8.0, 7.8), (11.0, 10.3, 7.3), (10.4, 10.0, 6.9), (9.8, 9.5, 6.2),
)  # fmt: skip
WORKS: dict[str, Work] = {
    "Crown": "stump",
    "Bridge: Abutment": "stump",
    "Inlay": "cavity",
    "Onlay": "cavity",
    "Veneer": "veneer",
    "Implant: Screw Retained": "scan body",
    "Implant: Abutment and Crown": "scan body",
}


@dataclass(frozen=True, slots=True)
class Tooth:
    """One place in the arch; `mesial` is +1 where the arch runs towards the midline, lengths in mm."""

    ada: int
    kind: Kind
    rank: int
    mesial: int
    width: float
    depth: float
    height: float
    tip: float
    shift: float = 0.0
    turn: float = 0.0
    work: Work = ""

    @property
    def free(self) -> bool:
        """Whether its neighbours' flanks are open down to the gum, as beside a gap or a stump."""
        return self.kind == "ridge" or self.work == "stump"


def arch_teeth(spec: CaseSpec, upper: bool, *, treated: bool = True) -> list[Tooth]:
    """The places of one jaw from the patient's right to the left, between two stretches of bare ridge.

    `treated=False` gives the mouth as it was before the dentist touched it.
    """
    chance = np.random.default_rng([spec.seed, 1 if upper else 2, 7])
    wisdom = chance.random(2) < (0.15 if spec.family == "restorative" else 0.3)
    crowding = 0.75 if spec.family == "orthodontic" else 0.22
    scale = 0.89 + 0.05 * chance.random()
    works = {item.tooth: item.treatment for item in spec.items} if treated else {}
    teeth = []
    for ada in UPPER_TEETH if upper else reversed(LOWER_TEETH):
        rank, right = _rank(ada)
        drawn = chance.normal(size=3)
        if rank == 7 and not wisdom[0 if right else 1]:
            continue
        tooth = _plain(ada, rank, right, upper, scale * (1 + 0.012 * drawn[0]))
        loose = crowding * (1.0 if rank < 4 else 0.4)
        tooth = replace(tooth, shift=float(loose * drawn[1] * 0.6), turn=float(loose * np.clip(drawn[2], -2, 2) * 0.14))
        teeth.append(_worked(tooth, works.get(ada, "")))
    end = Tooth(0, "ridge", 7, 1, 4.0, 7.4, 0.9, -4.7)
    return [end, *teeth, end]


def _rank(ada: int) -> tuple[int, bool]:
    """Places from the midline (0-7), and whether the tooth stands on the patient's right."""
    within = ada - 1 if ada in UPPER_TEETH else 32 - ada
    return (7 - within, True) if within < 8 else (within - 8, False)


def _plain(ada: int, rank: int, right: bool, upper: bool, scale: float) -> Tooth:
    width, depth, height = (UPPER_SIZES if upper else LOWER_SIZES)[rank]
    tips = (1.6, 1.1, 1.7, 1.4, 1.3, 1.2, 1.2, 1.1) if upper else (1.2, 1.2, 1.5, 1.3, 1.2, 1.2, 1.2, 1.1)
    return Tooth(ada, KINDS[rank], rank, 1 if right else -1, width * scale, depth * scale, height, tips[rank])


def _worked(tooth: Tooth, treatment: str) -> Tooth:
    work = WORKS.get(treatment, "")
    if treatment == "Bridge: Pontic" or work == "scan body":
        return replace(tooth, kind="ridge", height=0.6, tip=tooth.tip - tooth.height + 0.6, depth=7.0, work=work)
    return replace(tooth, work=work)
