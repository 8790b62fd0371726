"""Writes surfaces as binary STL and as binary PLY, the two mesh formats of iTero exports (millimetres)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Mesh:
    """Vertices float32 (n, 3) in mm, faces int32 (m, 3), colours uint8 (n, 3), texture places float32 (n, 2)."""

    vertices: NDArray[np.float32]
    faces: NDArray[np.int32]
    colours: NDArray[np.uint8]
    places: NDArray[np.float32]


def joined(first: Mesh, second: Mesh) -> Mesh:
    """Both surfaces in one mesh, as in an export with both jaws in one file."""
    return Mesh(
        np.concatenate([first.vertices, second.vertices]),
        np.concatenate([first.faces, second.faces + np.int32(len(first.vertices))]),
        np.concatenate([first.colours, second.colours]),
        np.concatenate([first.places, second.places]),
    )


def stl_bytes(mesh: Mesh, title: str) -> bytes:
    """The mesh as binary STL: an 80-byte title, a count, 50 bytes a triangle."""
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    rows = np.zeros(len(mesh.faces), dtype=[("normal", "<f4", (3,)), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    rows["normal"] = normals / np.maximum(lengths, 1e-12)
    rows["corners"] = corners
    header = title.encode("ascii", "replace")[:80].ljust(80, b" ")
    return header + struct.pack("<L", len(rows)) + bytes(rows.tobytes())


def ply_bytes(mesh: Mesh, *, texture: str | None = None, with_object: bool = False) -> bytes:
    """The mesh as binary little-endian PLY with vertex colours.

    `texture` names the JPG that the faces' `texcoord` lists point into; `with_object` adds the `int object`
    that some exports carry on each face.
    """
    vertices = np.zeros(
        len(mesh.vertices),
        dtype=[("position", "<f4", (3,)), ("colour", "u1", (3,))],
    )
    vertices["position"] = mesh.vertices
    vertices["colour"] = mesh.colours
    header = _ply_header(len(mesh.vertices), len(mesh.faces), texture, with_object)
    return header + vertices.tobytes() + _ply_faces(mesh, texture is not None, with_object)


def _ply_header(vertices: int, faces: int, texture: str | None, with_object: bool) -> bytes:
    lines = ["ply", "format binary_little_endian 1.0", "comment units mm"]
    lines += [f"comment TextureFile {texture}"] if texture else []
    lines += [f"element vertex {vertices}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"property uchar {channel}" for channel in ("red", "green", "blue")]
    lines += [f"element face {faces}", "property list uchar int vertex_indices"]
    lines += ["property list uchar float texcoord"] if texture else []
    lines += ["property int object"] if with_object else []
    return ("\n".join([*lines, "end_header"]) + "\n").encode("ascii", "replace")


def _ply_faces(mesh: Mesh, textured: bool, with_object: bool) -> bytes:
    fields: list[tuple[str, str, tuple[int, ...]]] = [("corners", "u1", ()), ("indices", "<i4", (3,))]
    if textured:
        fields += [("floats", "u1", ()), ("texcoord", "<f4", (6,))]
    if with_object:
        fields += [("object", "<i4", ())]
    rows = np.zeros(len(mesh.faces), dtype=fields)
    rows["corners"] = 3
    rows["indices"] = mesh.faces
    if textured:
        rows["floats"] = 6
        rows["texcoord"] = mesh.places[mesh.faces].reshape(-1, 6)
    return rows.tobytes()
