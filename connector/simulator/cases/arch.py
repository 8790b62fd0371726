"""Lays the columns of the surface grid along the dental arch, several to each tooth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connector.simulator.cases.dentition import Tooth

Floats = NDArray[np.float64]

UPPER_ELLIPSE = (22.6, 43.0, 0.0)  # half width, depth and front edge of the arch's middle line, mm
LOWER_ELLIPSE = (20.8, 41.6, 2.4)


@dataclass(frozen=True, slots=True)
class Columns:
    """The grid's columns from the patient's right to the left; every array has one entry a column.

    `place` is the index of the tooth, `along` runs from -1 to 1 over it, `middle` (n, 2) is the point of the
    arch's middle line and `out` (n, 2) the direction to the cheek; x to the patient's left, y to the back, mm.
    """

    place: NDArray[np.int64]
    along: Floats
    arc: Floats
    middle: Floats
    out: Floats

    def of(self, place: int) -> slice:
        """The columns of one tooth."""
        return slice(int(np.searchsorted(self.place, place)), int(np.searchsorted(self.place, place, side="right")))


def lay_columns(teeth: list[Tooth], count: int, ellipse: tuple[float, float, float]) -> Columns:
    """About `count` columns, shared out by width and closer together where one tooth meets the next."""
    widths = np.array([tooth.width for tooth in teeth])
    shares = np.maximum(4, np.rint(widths / widths.sum() * count)).astype(int)
    midline = next(index for index, tooth in enumerate(teeth) if tooth.mesial < 0)
    starts = np.concatenate([[0.0], np.cumsum(widths)])
    place = np.repeat(np.arange(len(teeth)), shares)
    along = np.concatenate([_spread(int(share), teeth[index].work) for index, share in enumerate(shares)])
    arc = starts[place] + (along + 1) / 2 * widths[place] - starts[midline]
    middle, out = _on_ellipse(arc, ellipse)
    return Columns(place, along, arc, middle, out)


def _spread(share: int, work: str) -> Floats:
    even = (np.arange(share) + 0.5) / share * 2 - 1
    if work in ("stump", "scan body"):
        return wall_spread(even, work)
    return 0.35 * even + 0.65 * np.sin(np.pi / 2 * even)


def wall_spread(even: Floats, work: str) -> Floats:
    """Even steps from -1 to 1 moved closer together where a stump's or a scan body's walls stand."""
    bends = (
        ([0, 0.3, 0.65, 0.88, 1], [0, 0.58, 0.8, 0.95, 1]) if work == "stump" else ([0, 0.3, 0.75, 1], [0, 0.4, 0.6, 1])
    )
    return np.asarray(np.sign(even) * np.interp(np.abs(even), *bends))


def _on_ellipse(arc: Floats, ellipse: tuple[float, float, float]) -> tuple[Floats, Floats]:
    half, depth, front = ellipse
    angle = np.linspace(-2.4, 2.4, 6001)
    x, y = half * np.sin(angle), depth * (1 - np.cos(angle))
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    turned = np.interp(arc, length - length[3000], angle)
    middle = np.stack([half * np.sin(turned), front + depth * (1 - np.cos(turned))], axis=-1)
    out = np.stack([depth * np.sin(turned), -half * np.cos(turned)], axis=-1)
    return middle, out / np.linalg.norm(out, axis=-1, keepdims=True)
