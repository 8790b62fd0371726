"""The prepared tooth: a tapered stump on a chamfer; and the scan body that stands on an implant."""

from __future__ import annotations

import numpy as np

from connector.simulator.cases.arch import Floats, wall_spread
from connector.simulator.cases.dentition import Tooth

MARGIN = 0.93  # the outer edge of the chamfer, as a share of the tooth's half width and depth
CORNER = 2.7  # between an ellipse (2) and a square


def stump_rows(count: int, work: str) -> Floats:
    """Where the crown's rows cross the tooth, from 1 (cheek) to -1 (tongue), close together on the walls."""
    return wall_spread(np.linspace(1, -1, count), work)


def stump_rise(tooth: Tooth, height: float, ring: Floats, across: Floats, clean: bool) -> tuple[Floats, Floats]:
    """How far the stump rises over the gum (mm) on this ring around its axis, and a 0-1 mask of what is tooth.

    `clean` is the better of two scans: the chamfer is wide and its edge lies free of the gum.
    """
    edge, shelf, wall = (0.9, 0.55, 0.72) if clean else (0.35, 0.25, 0.77)
    if tooth.work == "scan body":
        rise = np.interp(ring, [0, 0.42, 0.47, 0.52, 0.8], [7.5, 7.5, 7.2, 0.0, 0.0])
        flat = (across > 0.25) & (ring < 0.5)
        return np.where(flat, np.minimum(rise, 5.6), rise), (ring < 0.52).astype(float)
    knots = [0, 0.45, wall - 0.14, wall - 0.1, wall, wall + 0.05, MARGIN, MARGIN + 0.025, 1.2]
    rises = [height, height - 0.1, height - 0.3, height - 0.9, shelf + 0.5, shelf + 0.12, edge, 0.0, 0.0]
    return np.interp(ring, knots, rises), np.clip((MARGIN + 0.03 - ring) / 0.03, 0, 1)


def rounded(along: Floats, across: Floats) -> tuple[Floats, Floats]:
    """The square ring of grid points around the axis, and the factor that draws it in to a round one.

    The grid's own squares become the stump's contours, so that its walls have no steps; the outermost ring, where
    the gum begins, stays square.
    """
    ring = np.maximum(np.abs(along), np.abs(across))
    norm = (np.abs(along) ** CORNER + np.abs(across) ** CORNER) ** (1 / CORNER)
    drawn_in = np.where(norm > 0, ring / np.where(norm > 0, norm, 1), 1.0)
    outside = np.clip((ring - MARGIN - 0.025) / (1 - MARGIN - 0.025), 0, 1)
    return ring, np.asarray(drawn_in * (1 - outside) + outside)


def grid_ring(count: int, share: float) -> tuple[Floats, Floats]:
    """One ring of grid points (along, across) at this share of the outline, first point repeated at the end."""
    along, across = ellipse_ring(count, 1.0, 1.0)
    scale = share / np.maximum(np.abs(along), np.abs(across))
    return along * scale, across * scale


def ellipse_ring(count: int, long: float, short: float) -> tuple[Floats, Floats]:
    """A closed ellipse (along, across) with these half lengths."""
    angle = np.linspace(0, 2 * np.pi, count)
    return long * np.cos(angle), short * np.sin(angle)
