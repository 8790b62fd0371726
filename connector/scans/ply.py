"""Reads PLY, text or binary of either byte order, with any extra properties; coloured per vertex or by a texture."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from connector.scans.mesh import Bytes, Floats, Mesh, MeshRejected, checked
from connector.scans.numbers_in_text import numbers
from connector.scans.ply_faces import Faces, read_faces
from connector.scans.ply_header import Element, Property, read_header

COLOR_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
PLACE_NAMES = (("s", "t"), ("u", "v"), ("texture_u", "texture_v"), ("texture_s", "texture_t"))
Table = NDArray[np.void]


@dataclass(frozen=True, slots=True, eq=False)
class PlyFile:
    """The mesh; each vertex's place in the texture float32 (n, 2) or None; the texture's file name or None."""

    mesh: Mesh
    uv: Floats | None
    texture: str | None


def read_ply(data: bytes | bytearray | memoryview) -> PlyFile:
    """The contents of a PLY file; raises MeshRejected."""
    data = memoryview(data)
    header = read_header(data)
    kinds = {(element.name, each.name): each.kind for element in header.elements for each in element.properties}
    elements, at, order = header.elements, header.size, header.order
    if not order:
        # A text becomes a row of doubles, and from there on is read like a binary file of doubles.
        data, at, order = memoryview(numbers(bytes(data[at:])).tobytes()), 0, "="
        elements = tuple(replace(each, properties=tuple(map(_as_doubles, each.properties))) for each in elements)
    table, faces = _tables(data, at, elements, order)
    vertices = _columns(table, [("x", "y", "z")])
    if vertices is None:
        raise MeshRejected("mesh_format")
    mesh = checked(_floats(vertices), faces.triangles, _colors(table, kinds))
    return PlyFile(mesh, _places(table, faces, len(table)), header.texture)


def _as_doubles(column: Property) -> Property:
    return Property(column.name, "f8", "f8" if column.counted else None)


def _tables(data: memoryview, at: int, elements: tuple[Element, ...], order: str) -> tuple[Table, Faces]:
    """The vertex table and the faces; tables between them are stepped over, those behind are not looked at."""
    table: Table | None = None
    for element in elements:
        if element.name == "face":
            if table is None:
                raise MeshRejected("mesh_format")
            return table, read_faces(data, at, element, order, len(table))[0]
        if element.has_lists:
            raise MeshRejected("mesh_format")
        kind = np.dtype([(each.name, order + each.kind) for each in element.properties])
        if at + element.count * kind.itemsize > len(data):
            raise MeshRejected("mesh_truncated")
        if element.name == "vertex":
            table = np.frombuffer(data, kind, element.count, at)
        at += element.count * kind.itemsize
    raise MeshRejected("mesh_empty")


def _columns(
    table: Table, choices: list[tuple[str, ...]] | tuple[tuple[str, ...], ...]
) -> list[NDArray[np.float64]] | None:
    """The columns of the first choice whose names are all there."""
    known = set(table.dtype.names or ())
    names = next((choice for choice in choices if known.issuperset(choice)), None)
    return None if names is None else [table[name] for name in names]


def _floats(columns: list[NDArray[np.float64]]) -> Floats:
    """Columns side by side as float32; what is too large for it becomes infinite and is refused later."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.stack([column.astype(np.float32) for column in columns], axis=1)


def _colors(table: Table, kinds: dict[tuple[str, str], str]) -> Bytes | None:
    columns = _columns(table, COLOR_NAMES)
    if columns is None:
        return None
    names = next(choice for choice in COLOR_NAMES if set(choice) <= set(table.dtype.names or ()))
    kind = kinds["vertex", names[0]]
    scale = 255.0 if kind.startswith("f") else 1 / 257 if kind == "u2" else 1.0
    shades = [np.clip(np.nan_to_num(column.astype(np.float32)) * scale, 0, 255) for column in columns]
    return np.stack([(shade + 0.5).astype(np.uint8) for shade in shades], axis=1)


def _places(table: Table, faces: Faces, vertices: int) -> Floats | None:
    """One place in the texture per vertex; on a seam, where a vertex has several, the last face's."""
    if faces.corners_uv is not None:
        places = np.full((vertices, 2), np.nan, np.float32)
        places[faces.triangles.reshape(-1)] = faces.corners_uv.reshape(-1, 2)
        return places
    columns = _columns(table, PLACE_NAMES)
    return None if columns is None else _floats(columns)
