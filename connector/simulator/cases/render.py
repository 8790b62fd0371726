"""A small software renderer: z-buffer, vertex colours, light from the camera's side; numpy and Pillow only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from connector.simulator.cases.meshfiles import Mesh

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
MARGIN = 0.9  # share of the picture that the jaws fill
CHUNK = 150_000  # pixels tried at a time


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture (pixels, 3) of this width and height, and how far away each pixel's surface is."""

    wide: int
    tall: int
    picture: Floats
    depth: Floats


@dataclass(frozen=True, slots=True)
class Camera:
    """Looks along `forward` with `up` on top, at all of the meshes."""

    forward: tuple[float, float, float]
    up: tuple[float, float, float]

    def axes(self) -> Floats:
        """Right, up and forward as the rows of a (3, 3) turn."""
        forward = np.array(self.forward) / np.linalg.norm(self.forward)
        right = np.cross(forward, self.up)
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])


def render(meshes: list[Mesh], camera: Camera, size: tuple[int, int] = (800, 600), smooth: float = 1.25) -> Image.Image:
    """The meshes seen by the camera without perspective; drawn `smooth` times larger and scaled down."""
    wide, tall = round(size[0] * smooth), round(size[1] * smooth)
    turn = camera.axes()
    canvas = Canvas(wide, tall, _backdrop(wide, tall), np.full(wide * tall, np.inf))
    seen = [_turned(mesh.vertices.astype(float), turn) for mesh in meshes]
    low, high = np.min([one.min(axis=0) for one in seen], axis=0), np.max([one.max(axis=0) for one in seen], axis=0)
    scale = MARGIN * min(wide / (high[0] - low[0]), tall / (high[1] - low[1]))
    middle = (low + high) / 2
    for mesh, one in zip(meshes, seen, strict=True):
        flat = np.stack(
            [wide / 2 + (one[:, 0] - middle[0]) * scale, tall / 2 - (one[:, 1] - middle[1]) * scale], axis=1
        )
        _draw(canvas, flat, one[:, 2], _lit(mesh, turn), mesh.faces)
    image = Image.fromarray(np.clip(canvas.picture.reshape(tall, wide, 3), 0, 255).astype(np.uint8))
    return image.resize(size, Image.Resampling.LANCZOS) if smooth != 1 else image


def _turned(points: Floats, turn: Floats) -> Floats:
    # Written out, since a matrix product may sum in another order on another machine.
    return np.stack([points[:, 0] * r[0] + points[:, 1] * r[1] + points[:, 2] * r[2] for r in turn], axis=1)


def _backdrop(wide: int, tall: int) -> Floats:
    down = np.linspace(0, 1, tall)[:, None, None]
    rows = np.array([62.0, 70, 82]) * (1 - down) + np.array([28.0, 32, 40]) * down
    return np.broadcast_to(rows, (tall, wide, 3)).reshape(-1, 3).copy()


def _normals(mesh: Mesh) -> Floats:
    corners = mesh.vertices.astype(float)[mesh.faces]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(mesh.vertices), 3))
    for axis in range(3):
        weights = np.repeat(facing[:, axis], 3)
        normals[:, axis] = np.bincount(mesh.faces.ravel(), weights, len(mesh.vertices))
    return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12))


def _lit(mesh: Mesh, turn: Floats) -> Floats:
    """Colours (n, 3) under a key light from the upper left, a fill light, and a small gloss."""
    normals = _turned(_normals(mesh), turn)
    normals *= np.where(normals[:, 2] > 0, -1.0, 1.0)[:, None]  # an open shell is lit on both sides
    key = np.clip(normals[:, 0] * -0.42 + normals[:, 1] * 0.55 + normals[:, 2] * -0.72, 0, 1)
    fill = np.clip(normals[:, 0] * 0.6 + normals[:, 1] * -0.15 + normals[:, 2] * -0.79, 0, 1)
    gloss = np.clip(normals[:, 0] * -0.22 + normals[:, 1] * 0.3 + normals[:, 2] * -0.93, 0, 1) ** 42
    light = 0.3 + 0.62 * key + 0.22 * fill
    return np.asarray(mesh.colours * light[:, None] + 34 * gloss[:, None])


def _draw(canvas: Canvas, flat: Floats, far: Floats, colours: Floats, faces: NDArray[np.int32]) -> None:
    """Draw all triangles in portions that try about CHUNK pixels each; the nearest one wins."""
    corners = flat[faces]
    limit = np.array((canvas.wide, canvas.tall)) - 1
    low = np.clip(np.ceil(corners.min(axis=1)), 0, limit + 1).astype(np.int64)
    high = np.clip(np.floor(corners.max(axis=1)), -1, limit).astype(np.int64)
    extent = np.maximum(high - low + 1, 0)
    tried = extent[:, 0] * extent[:, 1]
    covering = np.flatnonzero(tried)
    portion = np.cumsum(tried[covering]) // CHUNK
    for part in np.split(covering, np.flatnonzero(np.diff(portion)) + 1):
        x, y, triangle = _boxes(low[part], extent[part, 0], tried[part])
        weights, inside = _weights(corners[part], x, y, triangle)
        place = y[inside] * canvas.wide + x[inside]
        chosen = faces[part[triangle[inside]]]
        _nearest(canvas, place, weights[:, inside], far[chosen], colours, chosen)


def _boxes(low: Whole, across: Whole, tried: Whole) -> tuple[Whole, Whole, Whole]:
    """Every pixel (x, y) of each triangle's box, and the triangle that it is tried for."""
    triangle = np.repeat(np.arange(len(tried)), tried)
    within = np.arange(len(triangle)) - np.repeat(np.cumsum(tried) - tried, tried)
    wide = across[triangle]
    down = within // wide
    return low[triangle, 0] + within - down * wide, low[triangle, 1] + down, triangle


def _weights(corners: Floats, x: Whole, y: Whole, triangle: Whole) -> tuple[Floats, NDArray[np.bool_]]:
    """Barycentric weights (3, n) of pixels in their triangles, and which lie inside; edge-on ones cover none."""
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = ab[:, 0] * ac[:, 1] - ac[:, 0] * ab[:, 1]
    scale = np.where(np.abs(area) < 1e-9, np.nan, 1 / np.where(area == 0, 1, area))
    slopes = np.stack([ac[:, 1], -ac[:, 0], -ab[:, 1], ab[:, 0]]) * scale
    right, down = x - a[triangle, 0], y - a[triangle, 1]
    weights = np.empty((3, len(x)))
    weights[1] = right * slopes[0][triangle] + down * slopes[1][triangle]
    weights[2] = right * slopes[2][triangle] + down * slopes[3][triangle]
    weights[0] = 1 - weights[1] - weights[2]
    return weights, np.asarray(weights.min(axis=0) >= -1e-9)


def _nearest(
    canvas: Canvas, place: Whole, weights: Floats, far: Floats, colours: Floats, corners: NDArray[np.int32]
) -> None:
    """Paint the samples that lie nearer than what is there."""
    depth = canvas.depth
    distance = weights[0] * far[:, 0] + weights[1] * far[:, 1] + weights[2] * far[:, 2]
    nearer = np.flatnonzero(distance < depth[place])
    np.minimum.at(depth, place[nearer], distance[nearer])
    won = nearer[distance[nearer] == depth[place[nearer]]]
    share = weights[:, won, None]
    shades = colours[corners[won]]
    canvas.picture[place[won]] = share[0] * shades[:, 0] + share[1] * shades[:, 1] + share[2] * shades[:, 2]
