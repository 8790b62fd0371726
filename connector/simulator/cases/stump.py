"""The prepared tooth: a tapered stump on a chamfer; and the scan body that stands on an implant."""

from __future__ import annotations

import numpy as np

from connector.simulator.cases.arch import Floats
from connector.simulator.cases.dentition import Tooth

MARGIN = 0.93  # the outer edge of the chamfer, as a share of the tooth's half width and depth
CORNER = 2.7  # between an ellipse (2) and a square


def stump_rows(count: int, work: str) -> Floats:
    """Where the crown's rows cross the tooth, from 1 (cheek) to -1 (tongue), close together on the walls."""
    even = np.linspace(1, -1, count)
    bends = (
        ([0, 0.3, 0.62, 0.86, 1], [0, 0.58, 0.8, 0.95, 1]) if work == "stump" else ([0, 0.3, 0.75, 1], [0, 0.4, 0.6, 1])
    )
    return np.sign(even) * np.interp(np.abs(even), *bends)


def stump_rise(tooth: Tooth, height: float, along: Floats, across: Floats, clean: bool) -> tuple[Floats, Floats]:
    """How far the stump rises over the gum (mm) at (along, across), and a 0-1 mask of what is tooth.

    `clean` is the better of two scans: the chamfer is wide and its edge lies free of the gum.
    """
    ring = radius(along, across)
    edge, shelf, wall = (0.9, 0.55, 0.72) if clean else (0.35, 0.25, 0.77)
    if tooth.work == "scan body":
        rise = np.interp(ring, [0, 0.42, 0.47, 0.52, 0.8], [7.5, 7.5, 7.2, 0.0, 0.0])
        flat = (across > 0.25) & (ring < 0.5)
        return np.where(flat, np.minimum(rise, 5.6), rise), (ring < 0.5).astype(float)
    knots = [0, 0.45, wall - 0.14, wall - 0.1, wall, wall + 0.05, MARGIN, MARGIN + 0.025, 1.2]
    rises = [height, height - 0.1, height - 0.3, height - 0.9, shelf + 0.5, shelf + 0.12, edge, 0.0, 0.0]
    return np.interp(ring, knots, rises), np.clip((MARGIN + 0.03 - ring) / 0.03, 0, 1)


def radius(along: Floats, across: Floats) -> Floats:
    """Distance from the stump's axis, 1 at the tooth's own outline."""
    return (np.abs(along / 0.97) ** CORNER + np.abs(across) ** CORNER) ** (1 / CORNER)


def ring_points(count: int, share: float) -> tuple[Floats, Floats]:
    """A closed ring (along, across) at this share of the outline, first point repeated at the end."""
    angle = np.linspace(0, 2 * np.pi, count)
    cos, sin = np.cos(angle), np.sin(angle)
    power = 2 / CORNER
    return 0.97 * share * np.sign(cos) * np.abs(cos) ** power, share * np.sign(sin) * np.abs(sin) ** power
