"""A small software renderer: z-buffer, vertex colours, light from the camera's side; numpy and Pillow only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from connector.simulator.cases.meshfiles import Mesh

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
CHUNK = 1_500_000  # pixels tried at a time


@dataclass(frozen=True, slots=True)
class Camera:
    """Looks along `forward` with `up` on top; shows `span` mm across the picture's width, around `centre`."""

    forward: tuple[float, float, float]
    up: tuple[float, float, float]
    centre: tuple[float, float, float]
    span: float

    def axes(self) -> Floats:
        """Right, up and forward as the rows of a (3, 3) turn."""
        forward = np.array(self.forward) / np.linalg.norm(self.forward)
        right = np.cross(forward, self.up)
        right = right / np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])


def render(meshes: list[Mesh], camera: Camera, size: tuple[int, int] = (800, 600), smooth: float = 1.4) -> Image.Image:
    """The meshes seen by the camera without perspective; drawn `smooth` times larger and scaled down."""
    wide, tall = round(size[0] * smooth), round(size[1] * smooth)
    turn = camera.axes()
    picture = _backdrop(wide, tall)
    depth = np.full(wide * tall, np.inf)
    for mesh in meshes:
        seen = _turned(mesh.vertices.astype(float) - np.array(camera.centre), turn)
        flat = np.stack([wide / 2 + seen[:, 0] * wide / camera.span, tall / 2 - seen[:, 1] * wide / camera.span], axis=1)
        _draw(picture, depth, (wide, tall), flat, seen[:, 2], _lit(mesh, turn), mesh.faces)
    image = Image.fromarray(np.clip(picture.reshape(tall, wide, 3), 0, 255).astype(np.uint8))
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


def _draw(
    picture: Floats, depth: Floats, size: tuple[int, int], flat: Floats, far: Floats, colours: Floats, faces: NDArray[np.int32]
) -> None:  # fmt: skip
    """Draw all triangles in portions that try about CHUNK pixels each; the nearest one wins."""
    corners = flat[faces]
    limit = np.array(size) - 1
    low = np.clip(np.ceil(corners.min(axis=1)), 0, limit + 1).astype(np.int64)
    high = np.clip(np.floor(corners.max(axis=1)), -1, limit).astype(np.int64)
    extent = np.maximum(high - low + 1, 0)
    tried = extent[:, 0] * extent[:, 1]
    covering = np.flatnonzero(tried)
    portion = np.cumsum(tried[covering]) // CHUNK
    for part in np.split(covering, np.flatnonzero(np.diff(portion)) + 1):
        pixels, triangle = _boxes(low[part], extent[part], tried[part])
        weights, inside = _weights(corners[part], pixels, triangle)
        chosen = faces[part[triangle[inside]]]
        place = pixels[inside, 1] * size[0] + pixels[inside, 0]
        _nearest(picture, depth, place, weights[:, inside], far[chosen], colours, chosen)


def _boxes(low: Whole, extent: Whole, tried: Whole) -> tuple[Whole, Whole]:
    """Every pixel (n, 2) of each triangle's box, and the triangle (n,) it is tried for."""
    triangle = np.repeat(np.arange(len(tried)), tried)
    within = np.arange(len(triangle)) - np.repeat(np.cumsum(tried) - tried, tried)
    down, right = np.divmod(within, extent[triangle, 0])
    return low[triangle] + np.stack([right, down], axis=1), triangle


def _weights(corners: Floats, pixels: Whole, triangle: Whole) -> tuple[Floats, NDArray[np.bool_]]:
    """Barycentric weights (3, n) of pixels in their triangles, and which lie inside; edge-on ones cover none."""
    a, b, c = (corners[:, corner] for corner in range(3))
    ab, ac = b - a, c - a
    area = ab[:, 0] * ac[:, 1] - ac[:, 0] * ab[:, 1]
    scale = np.where(np.abs(area) < 1e-9, np.nan, 1 / np.where(area == 0, 1, area))[triangle]
    x, y = pixels[:, 0] - a[triangle, 0], pixels[:, 1] - a[triangle, 1]
    second = (x * ac[triangle, 1] - y * ac[triangle, 0]) * scale
    third = (y * ab[triangle, 0] - x * ab[triangle, 1]) * scale
    weights = np.stack([1 - second - third, second, third])
    return weights, (weights >= -1e-9).all(axis=0)


def _nearest(
    picture: Floats, depth: Floats, place: Whole, weights: Floats, far: Floats, colours: Floats, corners: NDArray[np.int32]
) -> None:  # fmt: skip
    distance = weights[0] * far[:, 0] + weights[1] * far[:, 1] + weights[2] * far[:, 2]
    nearer = np.flatnonzero(distance < depth[place])
    np.minimum.at(depth, place[nearer], distance[nearer])
    won = nearer[distance[nearer] == depth[place[nearer]]]
    share = weights[:, won, None]
    shades = colours[corners[won]]
    picture[place[won]] = share[0] * shades[:, 0] + share[1] * shades[:, 1] + share[2] * shades[:, 2]
