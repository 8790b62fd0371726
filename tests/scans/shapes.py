"""Known shapes, and the files that hold them, written here byte by byte."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Corners = NDArray[np.int32]

CUBE_POINTS: Points = np.array([[x, y, z] for x in (0, 10) for y in (0, 20) for z in (0, 30)], np.float32)
CUBE_FACES: Corners = np.array(
    [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ],
    np.int32,
)  # fmt: skip


def sphere(rings: int, radius: float = 15.0) -> tuple[Points, Corners]:
    """A closed ball of about 2 rings² · 2 triangles around the origin, in mm."""
    down, around = np.meshgrid(
        np.linspace(0, np.pi, rings + 1)[1:-1], np.arange(2 * rings) * np.pi / rings, indexing="ij"
    )
    belt = np.stack([np.sin(down) * np.cos(around), np.sin(down) * np.sin(around), np.cos(down)], -1).reshape(-1, 3)
    points = np.concatenate([belt, [[0, 0, 1], [0, 0, -1]]]) * radius
    grid = np.arange(len(belt)).reshape(rings - 1, 2 * rings)
    here, right = grid, np.roll(grid, -1, axis=1)
    top, bottom = np.full(2 * rings, len(belt)), np.full(2 * rings, len(belt) + 1)
    faces = [
        np.stack([here[:-1], here[1:], right[1:]], -1).reshape(-1, 3),
        np.stack([here[:-1], right[1:], right[:-1]], -1).reshape(-1, 3),
        np.stack([top, here[0], right[0]], -1),
        np.stack([bottom, right[-1], here[-1]], -1),
    ]
    return points.astype(np.float32), np.concatenate(faces).astype(np.int32)


def stl(points: Points = CUBE_POINTS, faces: Corners = CUBE_FACES, title: bytes = b"solid but binary") -> bytes:
    rows = np.zeros(len(faces), np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("extra", "<u2")]))
    rows["corners"] = points[faces]
    return title.ljust(80) + struct.pack("<L", len(faces)) + rows.tobytes()


def text_stl(points: Points = CUBE_POINTS, faces: Corners = CUBE_FACES) -> bytes:
    facets = [
        "facet normal 0 0 0\n outer loop\n"
        + "".join(f"  vertex {x:e} {y:e} {z:e}\n" for x, y, z in points[face])
        + " endloop\nendfacet\n"
        for face in faces
    ]
    return ("solid cube\n" + "".join(facets) + "endsolid cube\n").encode()


HEAD = "ply\nformat {} 1.0\ncomment made by hand\nelement vertex {}\n"
HEAD += "property float x\nproperty float y\nproperty float z\n"
RGB = "property uchar red\nproperty uchar green\nproperty uchar blue\n"
FACE = "element face {}\nproperty list uchar int vertex_indices\n"


def ply(
    points: Points = CUBE_POINTS,
    faces: Corners = CUBE_FACES,
    colors: NDArray[np.uint8] | None = None,
    order: str = "<",
    uv: NDArray[np.float32] | None = None,
    texture: str = "skin.jpg",
) -> bytes:
    """Binary of either byte order; with `uv` (m, 6) also the extra properties that the restorative export has."""
    kind = {"<": "binary_little_endian", ">": "binary_big_endian"}[order]
    head = HEAD.format(kind, len(points)) + (RGB if colors is not None else "") + FACE.format(len(faces))
    columns: list[tuple[str, str] | tuple[str, str, int]] = [("n", "u1"), ("i", order + "i4", 3)]
    if uv is not None:
        head = head.replace("comment made by hand", f"comment TextureFile {texture}")
        head += "property int object\nproperty list uchar float texcoord\n"
        columns += [("object", order + "i4"), ("t", "u1"), ("uv", order + "f4", 6)]
    vertices = np.zeros(len(points), [("p", order + "f4", 3)] + ([("c", "u1", 3)] if colors is not None else []))
    vertices["p"] = points
    if colors is not None:
        vertices["c"] = colors
    rows = np.zeros(len(faces), columns)
    rows["n"], rows["i"] = 3, faces
    if uv is not None:
        rows["t"], rows["uv"] = 6, uv
    return (head + "end_header\n").encode() + vertices.tobytes() + rows.tobytes()


def text_ply(
    points: Points = CUBE_POINTS, faces: Corners = CUBE_FACES, colors: NDArray[np.uint8] | None = None
) -> bytes:
    head = (
        HEAD.format("ascii", len(points))
        + (RGB if colors is not None else "")
        + FACE.format(len(faces))
        + "end_header\n"
    )
    shades = [""] * len(points) if colors is None else [" ".join(map(str, color)) for color in colors.tolist()]
    lines = [f"{x} {y} {z} {shade}" for (x, y, z), shade in zip(points.tolist(), shades, strict=True)]
    return (head + "\n".join(lines + [f"3 {a} {b} {c}" for a, b, c in faces.tolist()]) + "\n").encode()
