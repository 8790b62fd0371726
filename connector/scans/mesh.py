"""A triangle mesh in memory, and the checks that every reader ends with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]

FARTHEST_MM = 100_000.0


class MeshRejected(Exception):  # says what happened, as the caller reads it
    """The file is no mesh that we show; `code` is a `mesh_…` key of PROBLEM_WORDS."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """Vertices float32 (n, 3) in mm, faces int32 (m, 3), colours uint8 (n, 3) or None."""

    vertices: Floats
    faces: Ints
    colors: Bytes | None = None

    @property
    def box_mm(self) -> tuple[float, float, float]:
        """The size in mm along x, y and z of what the triangles span, to a thousandth."""
        used = self.vertices[np.unique(self.faces)]
        x, y, z = (float(side) for side in used.max(axis=0) - used.min(axis=0))
        return round(x, 3), round(y, 3), round(z, 3)


def checked(vertices: Floats, faces: Ints, colors: Bytes | None = None) -> Mesh:
    """The mesh, once its numbers are known to be sound; raises MeshRejected."""
    if not len(faces) or not len(vertices):
        raise MeshRejected("mesh_empty")
    # NaN compares false, so this one test refuses NaN, infinity and the absurd.
    if not bool((np.abs(vertices) <= FARTHEST_MM).all()):
        raise MeshRejected("mesh_not_finite")
    if int(faces.min()) < 0 or int(faces.max()) >= len(vertices):
        raise MeshRejected("mesh_index")
    return Mesh(vertices, faces, colors)


def welded(corners: Floats) -> Mesh:
    """A mesh of triangle corners float32 (3 m, 3): corners with equal coordinates become one vertex, in file order."""
    if not bool((np.abs(corners) <= FARTHEST_MM).all()):
        raise MeshRejected("mesh_not_finite")
    corners = corners + np.float32(0)  # turns -0.0 into 0.0, and gives an array of our own
    first, inverse = _distinct(corners)
    # In order of appearance: neighbours in the file stay neighbours in memory, which decimation is quick with.
    order = np.argsort(first, kind="stable")
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return checked(corners[first[order]], rank[inverse].reshape(-1, 3))


def _distinct(corners: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(first index of each distinct corner, number of its distinct corner for every corner)."""
    bits = np.ascontiguousarray(corners).view(np.uint32).astype(np.uint64)
    keys = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    for column, factor in ((1, 0xC2B2AE3D27D4EB4F), (2, 0x165667B19E3779F9)):
        keys ^= keys >> np.uint64(29)
        keys = (keys + bits[:, column]) * np.uint64(factor)
    del bits
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    # Sorting one number is ten times faster than sorting three; should two corners share a number, sort three.
    if not np.array_equal(corners[first][inverse], corners):
        _, first, inverse = np.unique(corners, axis=0, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)
