"""The header of a PLY file: which elements with which properties follow, read before anything is allocated."""

import re
from dataclasses import dataclass

import numpy as np

from connector.scans.mesh import MeshRejected

LONGEST_HEADER = 64 * 1024
MOST_ELEMENTS, MOST_PROPERTIES = 16, 64
BYTE_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1",
    "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
    "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Property:
    """A column: numpy type code; `counted` is the type code of the length in front of a list, None for one number."""

    name: str
    kind: str
    counted: str | None = None

    @property
    def smallest(self) -> int:
        """The fewest bytes that one value takes in a binary file."""
        return np.dtype(self.counted or self.kind).itemsize


@dataclass(frozen=True, slots=True)
class Element:
    """A table: `count` rows of `properties`."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def has_lists(self) -> bool:
        """Whether rows differ in length."""
        return any(each.counted for each in self.properties)


@dataclass(frozen=True, slots=True)
class Header:
    """`order` is '' for text, '<' or '>' for binary; the tables start at byte `size`."""

    order: str
    elements: tuple[Element, ...]
    texture: str | None
    size: int


def read_header(data: memoryview) -> Header:
    """Read and bound the header; raises MeshRejected, also when the file is too short for what it announces."""
    start = bytes(data[:LONGEST_HEADER])
    end = re.search(rb"\nend_header\r?\n", start)
    if not re.match(rb"ply\r?\n", start) or end is None:
        raise MeshRejected("mesh_format")
    try:
        lines = start[: end.start()].decode("utf-8").splitlines()[1:]
    except UnicodeDecodeError:
        lines = start[: end.start()].decode("latin-1").splitlines()[1:]
    try:
        header = _parse(lines, end.end())
    except (KeyError, IndexError, ValueError, TypeError):
        raise MeshRejected("mesh_format") from None
    _refuse_overclaims(header, len(data))
    return header


def _parse(lines: list[str], size: int) -> Header:
    order: str | None = None
    texture: str | None = None
    elements: list[tuple[str, int, list[Property]]] = []
    for line in lines:
        match line.split():
            case ["format", encoding, "1.0"] if order is None:
                order = BYTE_ORDERS[encoding]
            case ["comment", word, *rest] if word.casefold() in ("texturefile", "texture_file"):
                texture = " ".join(rest)
            case [] | ["comment" | "obj_info", *_]:
                pass
            case ["element", name, count] if count.isascii() and count.isdigit() and len(count) < 12:
                elements.append((name, int(count), []))
            case ["property", "list", counted, kind, name] if TYPES[counted][0] != "f":
                elements[-1][2].append(Property(name, TYPES[kind], TYPES[counted]))
            case ["property", kind, name]:
                elements[-1][2].append(Property(name, TYPES[kind]))
            case _:
                raise ValueError
    _refuse_odd(order, elements)
    return Header(order or "", tuple(Element(name, n, tuple(columns)) for name, n, columns in elements), texture, size)


def _refuse_odd(order: str | None, elements: list[tuple[str, int, list[Property]]]) -> None:
    names = [name for name, _, _ in elements]
    if order is None or len(elements) > MOST_ELEMENTS or len(set(names)) != len(names):
        raise ValueError
    for _, _, columns in elements:
        columns_named = {each.name for each in columns}
        if not columns or len(columns) > MOST_PROPERTIES or len(columns_named) != len(columns):
            raise ValueError


def _refuse_overclaims(header: Header, file_size: int) -> None:
    """Every value takes at least its smallest size (in text: a digit and a blank), so counts are bounded by bytes."""
    needed = header.size - (not header.order)  # the last digit of a text needs no blank
    for element in header.elements:
        row = sum(each.smallest if header.order else 2 for each in element.properties)
        needed += element.count * row
    if needed > file_size:
        raise MeshRejected("mesh_truncated")
