"""Reads STL: binary is exactly 84 + 50 n bytes, anything else has to be the text form."""

from itertools import islice

import numpy as np

from connector.scans.mesh import Floats, Mesh, MeshRejected, welded
from connector.scans.numbers_in_text import numbers

HEADER, RECORD = 84, 50
TRIANGLE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
LINES_AT_ONCE = 70_000


def read_stl(data: bytes | bytearray | memoryview) -> Mesh:
    """The mesh of an STL file, vertices welded; raises MeshRejected."""
    data = memoryview(data)
    if len(data) >= HEADER:
        count = int.from_bytes(data[80:HEADER], "little")
        if len(data) == HEADER + RECORD * count:
            return _binary(data, count)
    if bytes(data[:5]).lower() == b"solid" and b"facet" in bytes(data[:2048]).lower():
        return welded(_text(bytes(data)))
    if len(data) < HEADER or len(data) < HEADER + RECORD * count:
        raise MeshRejected("mesh_truncated")
    raise MeshRejected("mesh_size")


def _binary(data: memoryview, count: int) -> Mesh:
    if not count:
        raise MeshRejected("mesh_empty")
    triangles = np.frombuffer(data, TRIANGLE, count, HEADER)
    return welded(triangles["corners"].reshape(-1, 3).astype(np.float32, copy=False))


def _text(data: bytes) -> Floats:
    """The corners of the text form, float32 (3 m, 3)."""
    lines = iter(data.lower().split(b"\n"))
    parts = []
    facets = 0
    ended = False
    while block := list(islice(lines, LINES_AT_ONCE)):
        words = [line.strip() for line in block]
        facets += sum(word.startswith(b"facet") for word in words)
        ended = ended or any(word.startswith(b"endsolid") for word in words)
        corners = [word[6:] for word in words if word.startswith(b"vertex")]
        parts.append(numbers(b" ".join(corners)).astype(np.float32))
        if len(parts[-1]) != 3 * len(corners):
            raise MeshRejected("mesh_format")
    found = np.concatenate(parts)
    if not ended:
        raise MeshRejected("mesh_truncated")
    if len(found) != 9 * facets:
        raise MeshRejected("mesh_format")
    return found.reshape(-1, 3)
