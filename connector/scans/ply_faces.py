"""The face table of a PLY: rows of lists, all alike as a rule, then read in one piece; else row by row."""

import struct
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from connector.scans.mesh import Floats, Ints, MeshRejected
from connector.scans.ply_header import Element

INDICES, TEXTURE = ("vertex_indices", "vertex_index"), "texcoord"
STRUCT_CODES = {"i1": "b", "u1": "B", "i2": "h", "u2": "H", "i4": "i", "u4": "I", "f4": "f", "f8": "d"}


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """Triangles int32 (m, 3), and the place of each corner in the texture float32 (m, 3, 2) or None."""

    triangles: Ints
    corners_uv: Floats | None


def read_faces(data: memoryview, at: int, element: Element, order: str, vertices: int) -> tuple[Faces, int]:
    """The faces as triangles, polygons as fans, and the offset behind the table; raises MeshRejected."""
    if not any(each.name in INDICES and each.counted for each in element.properties):
        raise MeshRejected("mesh_format")
    if not element.count:
        raise MeshRejected("mesh_empty")
    alike = _alike(data, at, element, order, vertices)
    return alike if alike is not None else _Rows(data, at, element, order).read(vertices)


def _alike(data: memoryview, at: int, element: Element, order: str, vertices: int) -> tuple[Faces, int] | None:
    """All rows in one piece when every row's lists are as long as the first row's, else None."""
    fields: list[tuple[str, str] | tuple[str, str, tuple[int, ...]]] = []
    wanted: dict[str, int] = {}
    start = at
    for each in element.properties:
        if each.counted is None:
            fields.append((each.name, order + each.kind))
            at += np.dtype(each.kind).itemsize
            continue
        length = _length(data, at, order + STRUCT_CODES[each.counted])
        wanted[each.name] = length
        at += np.dtype(each.counted).itemsize + length * np.dtype(each.kind).itemsize
        fields += [(f"{each.name} length", order + each.counted), (each.name, order + each.kind, (length,))]
    if start + element.count * (at - start) > len(data):
        return None
    rows = np.frombuffer(data, np.dtype(fields), element.count, start)
    if any(bool((rows[f"{name} length"] != length).any()) for name, length in wanted.items()):
        return None
    indices = next(rows[name] for name in INDICES if name in wanted)
    uv = rows[TEXTURE] if wanted.get(TEXTURE) == 2 * indices.shape[1] else None
    return _fans(indices, uv, vertices), start + rows.nbytes


def _length(data: memoryview, at: int, code: str) -> int:
    try:
        (length,) = struct.unpack_from(code, data, at)
    except struct.error:
        raise MeshRejected("mesh_truncated") from None
    # No list can be longer than the file; a text's lengths arrive as floats.
    if not 0 <= length <= len(data) or length != int(length):
        raise MeshRejected("mesh_format")
    return int(length)


def _fans(indices: NDArray[np.generic], uv: NDArray[np.generic] | None, vertices: int) -> Faces:
    sides = indices.shape[1]
    if sides < 3:
        raise MeshRejected("mesh_empty")
    whole = sound_indices(indices, vertices)
    picks = [(0, corner, corner + 1) for corner in range(1, sides - 1)]
    triangles = whole if sides == 3 else np.stack([whole[:, pick] for pick in picks], axis=1).reshape(-1, 3)
    if uv is None:
        return Faces(triangles, None)
    places = uv.reshape(len(uv), sides, 2).astype(np.float32)
    corners = places if sides == 3 else np.stack([places[:, pick] for pick in picks], axis=1).reshape(-1, 3, 2)
    return Faces(triangles, corners)


def sound_indices(indices: NDArray[np.generic], vertices: int) -> Ints:
    """Vertex numbers as int32, once all are whole and inside; raises MeshRejected('mesh_index')."""
    numbers: NDArray[np.float64] = indices  # type: ignore[assignment]  # any number type: only compared here
    if not bool(((numbers >= 0) & (numbers < vertices)).all()):
        raise MeshRejected("mesh_index")
    whole = np.ascontiguousarray(numbers.astype(np.int32))
    if numbers.dtype.kind == "f" and not np.array_equal(whole, numbers):
        raise MeshRejected("mesh_index")
    return whole


class _Rows:
    """Reads rows whose lists differ in length, one at a time."""

    def __init__(self, data: memoryview, at: int, element: Element, order: str) -> None:
        self.data, self.at, self.element, self.order = data, at, element, order
        self.triangles, self.places, self.all_placed = array("d"), array("f"), True

    def read(self, vertices: int) -> tuple[Faces, int]:
        for _ in range(self.element.count):
            self._row()
        if not self.triangles:
            raise MeshRejected("mesh_empty")
        triangles = sound_indices(np.frombuffer(self.triangles, np.float64).reshape(-1, 3), vertices)
        uv = np.frombuffer(self.places, np.float32).reshape(-1, 3, 2) if len(self.places) else None
        return Faces(triangles, uv), self.at

    def _row(self) -> None:
        corners: tuple[float, ...] = ()
        uv: tuple[float, ...] = ()
        for each in self.element.properties:
            if each.counted is None:
                self.at += each.smallest
            elif each.name in INDICES:
                corners = self._list(each.counted, each.kind)
            elif each.name == TEXTURE:
                uv = self._list(each.counted, each.kind)
            else:
                self._list(each.counted, each.kind)
        textured = any(each.name == TEXTURE for each in self.element.properties)
        for corner in range(1, len(corners) - 1):
            pick = (0, corner, corner + 1)
            self.triangles.extend(corners[each] for each in pick)
            if textured:
                known = len(uv) == 2 * len(corners)
                # A corner without a place in the texture is marked by NaN and stays uncoloured.
                self.places.extend(uv[2 * each + axis] if known else float("nan") for each in pick for axis in (0, 1))

    def _list(self, counted: str, kind: str) -> tuple[float, ...]:
        length = _length(self.data, self.at, self.order + STRUCT_CODES[counted])
        self.at += np.dtype(counted).itemsize
        end = self.at + length * np.dtype(kind).itemsize
        if end > len(self.data):
            raise MeshRejected("mesh_truncated")
        values: tuple[float, ...] = struct.unpack_from(f"{self.order}{length}{STRUCT_CODES[kind]}", self.data, self.at)
        self.at = end
        return values
