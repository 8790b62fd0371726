"""One jaw as a grid of points: columns along the arch, rows from the cheek over the teeth to the tongue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from connector.simulator.cases import gums
from connector.simulator.cases.arch import LOWER_ELLIPSE, UPPER_ELLIPSE, Columns, Floats, lay_columns
from connector.simulator.cases.crown import HEIGHTS, Shape, crown_shape, relief
from connector.simulator.cases.dentition import Tooth
from connector.simulator.cases.stump import rounded, stump_rise, stump_rows

ROUNDNESS = 3.3  # of a crown's cross-section: 2 is an ellipse, more is squarer


@dataclass(frozen=True, slots=True)
class Scan:
    """How a jaw was scanned: `clean` for the better scan, `ditched` = ADA numbers with the gum cut back."""

    upper: bool
    triangles: int
    seed: int
    clean: bool = False
    ditched: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Surface:
    """Points (columns, rows, 3) in mm; `enamel` (columns, rows) is 1 on teeth and 0 on gum, `high` mm over the gum."""

    points: Floats
    enamel: Floats
    high: Floats
    relief: Floats
    columns: Columns
    crown_rows: slice
    teeth: tuple[Tooth, ...]


@dataclass(frozen=True, slots=True)
class Crowns:
    """All crowns (columns, rows): sideways place, height and slide along the arch in mm; relief in mm; enamel 0-1."""

    across: Floats
    high: Floats
    slide: Floats
    relief: Floats
    enamel: Floats


def scan_surface(teeth: list[Tooth], scan: Scan) -> Surface:
    """The scanned surface of these teeth; its grid has about `scan.triangles` triangles."""
    share = 2.1 if not scan.upper else 1.75  # columns a row, so that cells are about square
    rows = max(36, round((scan.triangles / 2 / share) ** 0.5) + 1)
    columns = lay_columns(teeth, max(70, round(scan.triangles / 2 / (rows - 1)) + 1), _ellipse(scan))
    shape = crown_shape(teeth, columns, scan.upper)
    crown_count, cheek_count, tongue_count = _shared_rows(rows, scan.upper)
    crowns = _crowns(teeth, columns, shape, crown_count, scan)
    ragged = _ragged(columns, scan)
    depths = gums.gum_depths(cheek_count, 9.0)
    cheek = gums.gum_strip(columns, crowns.across[:, 0], crowns.high[:, 0], depths, cheek=True, ragged=ragged)
    tongue = _tongue_side(columns, crowns.across, crowns.high, tongue_count, scan, ragged)
    teeth_points = _placed(columns, crowns.across, crowns.high, scan, crowns.slide)
    points = np.concatenate([_placed(columns, *cheek, scan)[:, ::-1], teeth_points, tongue], axis=1)
    points += _noise(points, scan)[..., None] * np.array([0.5, 0.5, 1.0])
    around = ((0, 0), (cheek_count, tongue.shape[1]))
    over_gum = np.pad(np.maximum(crowns.high - shape.gum[:, None], 0.0), around)
    crown_rows = slice(cheek_count, cheek_count + crown_count)
    enamel, rise = np.pad(crowns.enamel, around), np.pad(crowns.relief, around)
    return Surface(points, enamel, over_gum, rise, columns, crown_rows, tuple(teeth))


def _ellipse(scan: Scan) -> tuple[float, float, float]:
    return UPPER_ELLIPSE if scan.upper else LOWER_ELLIPSE


def _shared_rows(rows: int, upper: bool) -> tuple[int, int, int]:
    cheek = round(rows * (0.17 if upper else 0.22))
    crown = round(rows * (0.47 if upper else 0.56))
    return crown, cheek, rows - crown - cheek


def _crowns(teeth: list[Tooth], columns: Columns, shape: Shape, count: int, scan: Scan) -> Crowns:
    side, up = _section(count)
    cheek, tongue = _halves(shape.cheek, up), _halves(shape.tongue, up)
    waist = shape.soft_waist[:, None] + (shape.waist - shape.soft_waist)[:, None] * gums.ease(up / 0.45)[None, :]
    across = side * np.where(side > 0, cheek, tongue) * waist + shape.shift[:, None] + shape.lean[:, None] * up
    high = shape.gum[:, None] + (shape.top - shape.gum)[:, None] * up
    slide, rise, enamel = np.zeros((3, *high.shape))
    table = gums.ease((up - 0.5) / 0.42)[None, :]
    for place, tooth in enumerate(teeth):
        here = columns.of(place)
        along = columns.along[here, None]
        if tooth.work in ("stump", "scan body"):
            across[here], high[here], slide[here], enamel[here] = _stump(tooth, shape, here, along, count, scan)
        elif tooth.kind != "ridge":
            edge = 1 - np.abs(along) ** 10
            rise[here] = relief(tooth, scan.upper, along, side[None, :]) * table * edge
            high[here] += rise[here]
            enamel[here] = gums.ease((high[here] - shape.gum[here, None] - 0.02) / 0.2)
    return Crowns(across, high, slide, rise, enamel)


def _section(count: int) -> tuple[Floats, Floats]:
    """A crown's cross-section as (side 1 to -1, height 0 to 1), in steps of about equal length."""
    angle = np.linspace(0, np.pi, 4001)
    side = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / ROUNDNESS)
    up = np.abs(np.sin(angle)) ** (2 / ROUNDNESS)
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(side) * 4.5, np.diff(up) * 7.5))])
    even = np.linspace(0, length[-1], count)
    up = np.interp(even, length, up)
    up[[0, -1]] = 0.0
    return np.interp(even, length, side), up


def _halves(table: Floats, up: Floats) -> Floats:
    """The half depths (columns, rows) at these heights: a smooth curve through each column's table."""
    place = np.clip(np.searchsorted(HEIGHTS, up, side="right") - 1, 0, len(HEIGHTS) - 2)
    step = HEIGHTS[place + 1] - HEIGHTS[place]
    t = (up - HEIGHTS[place]) / step
    slope = np.gradient(table, HEIGHTS, axis=1)
    return np.asarray(
        table[:, place] * (2 * t**3 - 3 * t**2 + 1)
        + slope[:, place] * step * (t**3 - 2 * t**2 + t)
        + table[:, place + 1] * (3 * t**2 - 2 * t**3)
        + slope[:, place + 1] * step * (t**3 - t**2)
    )


def _stump(
    tooth: Tooth, shape: Shape, here: slice, along: Floats, count: int, scan: Scan
) -> tuple[Floats, Floats, Floats, Floats]:
    rows = stump_rows(count, tooth.work)[None, :]
    ring, drawn_in = rounded(along, rows)
    rise, enamel = stump_rise(tooth, tooth.height - 2.2, ring, rows, scan.clean)
    neck = np.where(rows > 0, shape.cheek[here, :1], shape.tongue[here, :1]) * shape.soft_waist[here, None]
    across = rows * drawn_in * neck + shape.shift[here, None]
    rim = 0.35 * np.exp(-(((ring - 1.0) / 0.05) ** 2))
    high = shape.gum[here, None] + rise + rim * (0.4 if scan.clean else 1.0)
    if tooth.ada in scan.ditched:
        high = high - 2.2 * (1 - enamel)
    return across, high, along * (drawn_in - 1) * tooth.width / 2, enamel


def _ragged(columns: Columns, scan: Scan) -> Floats:
    chance = np.random.default_rng([scan.seed, 1 if scan.upper else 2, 11])
    phases = chance.uniform(0, 2 * np.pi, 6)
    waves = [
        np.sin(columns.arc * rate + phase)
        for rate, phase in zip((0.13, 0.31, 0.72, 1.4, 2.3, 3.7), phases, strict=True)
    ]
    weights = (0.07, 0.05, 0.03, 0.02, 0.012, 0.01)
    base = 1.06 if scan.clean else 0.94
    to_end = np.minimum(columns.arc - columns.arc[0], columns.arc[-1] - columns.arc)
    border = base + sum(weight * wave for weight, wave in zip(weights, waves, strict=True))
    return np.asarray(border * (0.5 + 0.5 * gums.ease(to_end / 9)))


def _tongue_side(columns: Columns, across: Floats, high: Floats, count: int, scan: Scan, ragged: Floats) -> Floats:
    rolled = max(5, count // 5) if scan.upper else count
    depths = gums.gum_depths(rolled, gums.ROLL if scan.upper else 9.5)
    even = np.ones_like(ragged) if scan.upper else ragged
    out, height = gums.gum_strip(columns, -across[:, -1], high[:, -1], depths, cheek=False, ragged=even)
    strip = _placed(columns, -out, height, scan)
    if not scan.upper:
        return strip
    return np.concatenate([strip, gums.palate(strip[:, -1], columns, count - rolled, 10.5)], axis=1)


def _placed(columns: Columns, across: Floats, high: Floats, scan: Scan, slide: Floats | float = 0.0) -> Floats:
    """World points (columns, rows, 3): the upper jaw hangs from above, both follow the same bite curve."""
    onward = columns.out[:, None, ::-1] * np.array([-1.0, 1.0])
    plan = columns.middle[:, None, :] + columns.out[:, None, :] * across[..., None]
    plan = plan + onward * np.broadcast_to(slide, across.shape)[..., None]
    curve = 1.4 * ((np.minimum(columns.middle[:, 1], 42) - 20) / 24) ** 2
    z = (-high if scan.upper else high) + curve[:, None]
    return np.concatenate([plan, z[..., None]], axis=-1)


def _noise(points: Floats, scan: Scan) -> Floats:
    """Small waves in space (mm), the same at every triangle count."""
    chance = np.random.default_rng([scan.seed, 1 if scan.upper else 2, 13])
    total = np.zeros(points.shape[:2])
    for size, rate in ((0.06, 0.35), (0.03, 0.8), (0.01, 1.8), (0.003, 4.0)):
        push = chance.normal(size=3) * rate
        total += size * np.sin(points[..., 0] * push[0] + points[..., 1] * push[1] + points[..., 2] * push[2])
    return total * (0.8 if scan.clean else 1.1)
