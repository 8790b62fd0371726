"""The gum on both sides of the teeth: rolled margin, root bulges, vestibule, palate and floor of the mouth."""

from __future__ import annotations

import numpy as np

from connector.simulator.cases.arch import Columns, Floats

# How far the gum stands out from the neck (mm) by depth under the gum's edge (mm).
CHEEK_DEPTHS = (0.0, 0.25, 0.7, 1.8, 4.0, 6.0, 7.6, 9.0)
CHEEK_OUT = (0.0, 0.4, 0.62, 0.8, 0.75, 0.7, 1.1, 2.2)
TONGUE_DEPTHS = (0.0, 0.25, 0.7, 1.8, 4.0, 6.0, 8.0, 9.5)
TONGUE_OUT = (0.0, 0.35, 0.5, 0.6, 0.5, 0.3, 0.8, 2.6)
ROLL = 3.0  # mm of gum between the upper teeth and the palate


def gum_depths(rows: int, deepest: float) -> Floats:
    """Depths under the gum's edge for this many rows, closer together near the edge; the edge is left out."""
    return deepest * np.linspace(0, 1, rows + 1)[1:] ** 1.25


def gum_strip(
    columns: Columns, neck_out: Floats, gum: Floats, depths: Floats, *, cheek: bool, ragged: Floats
) -> tuple[Floats, Floats]:
    """Sideways place and height (columns, rows) of a strip of gum hanging from the gum line.

    `neck_out` (n,) is how far the gum line lies from the middle line, `ragged` (n,) stretches the depth as the
    uneven border of a scan does.
    """
    smooth_out, smooth_gum = _smoothed(neck_out, columns), _smoothed(gum, columns)
    deep = depths[None, :] * ragged[:, None]
    fade = ease(deep / 5.5)
    table = (CHEEK_DEPTHS, CHEEK_OUT) if cheek else (TONGUE_DEPTHS, TONGUE_OUT)
    root = 0.4 * np.cos(np.pi * columns.along)[:, None] * ease(deep / 2) * (1 - ease((deep - 4) / 4))
    out = neck_out[:, None] * (1 - fade) + smooth_out[:, None] * fade + np.interp(deep, *table) + root
    height = gum[:, None] * (1 - fade) + smooth_gum[:, None] * fade - deep
    return out, height


def _smoothed(values: Floats, columns: Columns) -> Floats:
    """A running mean over about one tooth's width of arch, by arc length and not by column."""
    even = np.linspace(columns.arc[0], columns.arc[-1], 400)
    sampled = np.interp(even, columns.arc, values)
    wide = 37
    padded = np.pad(sampled, wide, mode="edge")
    mean = np.convolve(np.convolve(padded, np.ones(wide) / wide, "same"), np.ones(wide) / wide, "same")
    return np.interp(columns.arc, even, mean[wide:-wide])


def palate(start: Floats, columns: Columns, rows: int, vault: float) -> Floats:
    """Points (columns, rows, 3) from the gum's end `start` (columns, 3) to the middle of the palate, world mm."""
    side = np.sign(columns.arc)
    ends = np.where(side < 0, -columns.arc[0], columns.arc[-1])
    y = 7.5 + (min(start[0, 1], start[-1, 1]) - 7.5) * (np.abs(columns.arc) / ends) ** 1.25
    base = np.median(start[:, 2])
    middle = np.stack([np.zeros_like(y), y, base - 1.5 + vault * ease((y - 1.0) / 24)], axis=-1)
    reach = np.linalg.norm(middle - start, axis=-1)
    leave = np.concatenate([-columns.out * 0.35, np.ones((len(y), 1))], axis=-1) * reach[:, None] * 0.85
    level = (middle - start) * np.array([1.0, 1.0, 0.0])
    arrive = level / np.linalg.norm(level, axis=-1, keepdims=True) * reach[:, None] * 1.1
    t = np.linspace(0, 1, rows + 1)[1:][None, :, None]
    points = (
        (2 * t**3 - 3 * t**2 + 1) * start[:, None]
        + (t**3 - 2 * t**2 + t) * leave[:, None]
        + (3 * t**2 - 2 * t**3) * middle[:, None]
        + (t**3 - t**2) * arrive[:, None]
    )
    points[..., 2] += _folds(points, t[..., 0])
    return np.asarray(points)


def _folds(points: Floats, t: Floats) -> Floats:
    """The palate's folds behind the incisors, and the seam in its middle."""
    x, y = points[..., 0], points[..., 1]
    zone = ease((y - 8) / 3) * (1 - ease((y - 19) / 5)) * ease((np.abs(x) - 0.8) / 2) * ease(t / 0.3)
    waves = np.sin((y - 0.22 * np.abs(x) + 0.8 * np.sin(x * 0.7)) * 1.75)
    seam = 0.35 * np.exp(-((x / 0.8) ** 2)) * ease((y - 9) / 4)
    return np.asarray(-0.4 * zone * np.maximum(waves, -0.3) - seam)


def ease(value: Floats) -> Floats:
    value = np.clip(value, 0.0, 1.0)
    return np.asarray(value * value * (3 - 2 * value))
