"""Vertex colours: off-white teeth that yellow towards the neck, pink gum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from connector.simulator.cases.arch import Floats
from connector.simulator.cases.surface import Surface

NECK, BODY, EDGE = (np.array(rgb, float) for rgb in ((226, 204, 166), (242, 231, 211), (232, 229, 222)))
DENTINE, FISSURE = (np.array(rgb, float) for rgb in ((214, 184, 132), (184, 150, 108)))
SCAN_BODY = np.array((196, 200, 204), float)
GUM_EDGE, GUM, GUM_DEEP, PALE = (
    np.array(rgb, float) for rgb in ((196, 104, 102), (213, 132, 126), (184, 84, 86), (222, 156, 148))
)


def painted(surface: Surface, seed: int) -> NDArray[np.uint8]:
    """Colours (columns, rows, 3) of a scanned surface."""
    chance = np.random.default_rng([seed, 17])
    tint = 1 + 0.03 * chance.normal(size=3) * np.array([0.3, 0.6, 1.0])
    enamel = surface.enamel[..., None]
    colour = _gum(surface) * (1 - enamel) + _teeth(surface) * tint * enamel
    shaded = np.clip(np.rint(colour * _cloud(surface, chance)[..., None]), 0, 255)
    return np.asarray(shaded, dtype=np.uint8)


def _teeth(surface: Surface) -> Floats:
    high = surface.high
    crown = np.array([max(tooth.height, 1.0) for tooth in surface.teeth])[surface.columns.place][:, None]
    up = np.clip(high / crown, 0, 1)[..., None]
    colour = _mix(_mix(NECK, BODY, np.clip(up / 0.45, 0, 1)), EDGE, np.clip((up - 0.7) / 0.3, 0, 1))
    groove = np.clip((0.35 - surface.relief) / 0.5, 0, 1) * (surface.relief != 0)
    colour = _mix(colour, FISSURE, 0.7 * groove[..., None] ** 2)
    meeting = np.abs(surface.columns.along[:, None, None]) ** 14
    colour = colour * (1 - 0.22 * meeting)
    works = np.array([tooth.work for tooth in surface.teeth])[surface.columns.place][:, None, None]
    colour = np.where(works == "stump", colour * 0.35 + DENTINE * 0.65, colour)
    return np.asarray(np.where(works == "scan body", SCAN_BODY, colour))


def _gum(surface: Surface) -> Floats:
    rows = surface.points.shape[1]
    first, last = surface.crown_rows.start, surface.crown_rows.stop
    place = np.arange(rows, dtype=float)
    cheek = np.clip((first - place) / first, 0, 1)[None, :, None]
    tongue = np.clip((place - last + 1) / (rows - last), 0, 1)[None, :, None]
    away = np.maximum(cheek, tongue)
    colour = _mix(np.broadcast_to(GUM_EDGE, (1, 1, 3)), GUM, np.clip(away / 0.12, 0, 1))
    colour = _mix(colour, GUM_DEEP, np.clip((cheek - 0.55) / 0.4, 0, 1))
    return _mix(colour, PALE, np.clip(tongue / 0.5, 0, 1) * 0.8)


def _mix(first: Floats, second: Floats, share: Floats) -> Floats:
    return np.asarray(first * (1 - share) + second * share)


def _cloud(surface: Surface, chance: np.random.Generator) -> Floats:
    total = np.ones(surface.points.shape[:2])
    for size, rate in ((0.022, 0.3), (0.014, 0.7), (0.004, 1.5)):
        push = chance.normal(size=3) * rate
        total += size * np.sin(np.einsum("uvk,k->uv", surface.points, push))
    return total
