"""The shape of the crowns: a cross-section for every column, and cusps with the fissures between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connector.simulator.cases.arch import Columns, Floats
from connector.simulator.cases.dentition import Tooth

HEIGHTS = np.array([0.0, 0.2, 0.4, 0.65, 0.85, 1.0])  # where the tables below give a half depth
# Half depth of the crown by height, as a share of its depth: cheek side, then tongue side.
SECTIONS = {
    "incisor": ((0.34, 0.38, 0.37, 0.30, 0.22, 0.15), (0.46, 0.50, 0.38, 0.16, 0.05, 0.03)),
    "canine": ((0.38, 0.43, 0.44, 0.37, 0.25, 0.13), (0.48, 0.52, 0.45, 0.28, 0.14, 0.08)),
    "premolar": ((0.41, 0.48, 0.50, 0.45, 0.38, 0.32), (0.40, 0.46, 0.48, 0.46, 0.41, 0.35)),
    "molar": ((0.42, 0.485, 0.50, 0.46, 0.40, 0.34), (0.42, 0.475, 0.50, 0.47, 0.42, 0.36)),
    "ridge": ((0.46, 0.40, 0.34, 0.27, 0.20, 0.14), (0.46, 0.40, 0.34, 0.27, 0.20, 0.14)),
}
# How square the outline is, how narrow the contact, how high the papilla (mm), and how far the crown leans out (mm).
OUTLINES = {
    "incisor": (6.0, 0.46, 3.0),
    "canine": (2.6, 0.44, 2.8),
    "premolar": (3.2, 0.38, 2.0),
    "molar": (4.0, 0.42, 1.7),
    "ridge": (2.0, 1.0, 0.0),
}
LEANS = {"upper": (2.0, 1.6, 0.5, 0.3), "lower": (0.9, 0.6, -0.4, -0.7)}
FOSSA = {"incisor": 0.0, "canine": 0.0, "premolar": 2.3, "molar": 2.2, "ridge": 0.0}  # under the cusp tips, mm
# Cusps as (towards the midline, towards the cheek, height share).
PREMOLAR = ((0.0, 0.62, 1.0), (0.05, -0.6, 0.86))
CUSPS = {
    ("upper", "premolar"): PREMOLAR,
    ("lower", "premolar"): ((0.0, 0.55, 1.0), (0.3, -0.62, 0.72), (-0.4, -0.6, 0.6)),
    ("upper", "molar"): ((0.45, 0.6, 1.0), (-0.42, 0.6, 0.95), (0.36, -0.56, 1.0), (-0.55, -0.6, 0.72)),
    ("lower", "molar"):
        ((0.52, 0.6, 0.9), (-0.12, 0.64, 0.9), (-0.66, 0.45, 0.7), (0.45, -0.6, 1.0), (-0.4, -0.6, 0.95)),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """The crown's numbers in every column (n,), blended towards the neighbour's where two teeth touch; mm."""

    neck: Floats
    gum: Floats
    top: Floats
    shift: Floats
    lean: Floats
    waist: Floats
    soft_waist: Floats
    cheek: Floats
    tongue: Floats


def crown_shape(teeth: list[Tooth], columns: Columns, upper: bool) -> Shape:
    """The numbers of every column's cross-section."""
    own = np.array([_numbers(tooth, upper) for tooth in teeth])
    contact = _contacts(own, teeth)
    along = np.abs(columns.along)
    blend = (along**6)[:, None]
    beside = np.where((columns.along < 0)[:, None], contact[columns.place], contact[columns.place + 1])
    tip, height, fossa, papilla, square, narrow, lean, shift, turn, width, meeting = (
        own[columns.place] * (1 - blend) + beside * blend
    )[:, :11].T
    neck = tip - height
    envelope = np.sqrt(np.clip(1 - along**square, 0, 1))
    gum = neck + papilla * along**2.2
    low = neck + np.maximum(meeting * height, papilla + 0.25)
    halves = (own[columns.place] * (1 - blend) + beside * blend)[:, 11:]
    return Shape(
        neck,
        gum,
        low + (tip - fossa - low) * envelope,
        shift + turn * columns.along * width / 2 * (1 - blend[:, 0]),
        lean,
        narrow + (1 - narrow) * envelope,
        0.86 + 0.14 * envelope,
        halves[:, :6],
        halves[:, 6:],
    )


def _numbers(tooth: Tooth, upper: bool) -> list[float]:
    square, narrow, papilla = OUTLINES[tooth.kind]
    lean = LEANS["upper" if upper else "lower"][
        ("incisor", "canine", "premolar", "molar", "ridge").index(tooth.kind) % 4
    ]
    lean = 0.0 if tooth.kind == "ridge" else lean
    tip = tooth.tip - (1.0 if tooth.work == "veneer" else 0.0)
    height = tooth.height - (1.0 if tooth.work == "veneer" else 0.0)
    cheek, tongue = (np.array(half) * tooth.depth for half in SECTIONS[tooth.kind])
    if tooth.work == "veneer":
        cheek = cheek - np.array([0.0, 0.75, 0.8, 0.7, 0.45, 0.2])
    papilla = 0.5 if tooth.free else papilla
    plain = [tip, height, FOSSA[tooth.kind], papilla, square, narrow, lean, tooth.shift, tooth.turn, tooth.width, 0.52]
    return [*plain, *cheek, *tongue]


def _contacts(own: Floats, teeth: list[Tooth]) -> Floats:
    """Numbers of the place where each tooth meets the one before it; (teeth + 1, numbers)."""
    before, after = np.vstack([own[:1], own]), np.vstack([own, own[-1:]])
    contact = (before + after) / 2
    for index in range(1, len(teeth)):
        left, right = teeth[index - 1], teeth[index]
        if left.free or right.free:
            neck = np.mean([tooth.tip - tooth.height for tooth in (left, right)])
            contact[index, :2] = neck + 1.0, 1.0
            contact[index, 3], contact[index, 10] = 0.5, 0.0
            contact[index, 5] = 0.8
    return contact


def relief(tooth: Tooth, upper: bool, along: Floats, across: Floats) -> Floats:
    """How far cusps rise over the fossa at (along (n, 1), across (1, m)) of a premolar or molar, in mm."""
    cusps = CUSPS.get(("upper" if upper else "lower", tooth.kind))
    if cusps is None:
        return np.zeros((along.shape[0], across.shape[1]))
    towards_midline = along * tooth.mesial
    wide, deep = tooth.width / 2, tooth.depth * 0.36
    fossa = FOSSA[tooth.kind]
    hills = [
        fossa * share + 0.1 - 0.62 * np.sqrt(((towards_midline - m) * wide) ** 2 + ((across - t) * deep) ** 2 + 0.2)
        for m, t, share in cusps
    ]
    ridges = [
        fossa * 0.5
        - 0.75 * np.sqrt(((towards_midline - m) * wide) ** 2 + (np.clip(np.abs(across) - 0.4, 0, 1) * deep) ** 2)
        for m in (0.86, -0.86)
    ]
    sharp = 15.0
    peak = np.log(sum(np.exp(sharp * np.clip(hill, -2, 4)) for hill in hills + ridges)) / sharp
    rise = np.maximum(peak, -0.35) + 0.28
    if tooth.work == "cavity":
        rise = rise - 2.1 * _inside(np.abs(across), 0.42, 0.05) * _inside(np.abs(towards_midline), 0.8, 0.04)
    return np.asarray(rise)


def _inside(distance: Floats, edge: float, soft: float) -> Floats:
    return 1 / (1 + np.exp(np.clip((distance - edge) / soft * 2, -40, 40)))
