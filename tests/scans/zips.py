"""Builds zips byte by byte, honest ones and ones that lie; shares no code with the guard, nor with zipfile."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

FULL = 0xFFFF_FFFF


@dataclass
class Part:
    """A member; `local` and `central` replace header fields by name, `packed` replaces the packed bytes."""

    name: bytes
    content: bytes = b"solid nothing"
    method: int = 8
    flags: int = 0
    mode: int = 0o100644
    packed: bytes | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    descriptor: bytes | None = None
    local: dict[str, int | bytes] = field(default_factory=dict)
    central: dict[str, int | bytes] = field(default_factory=dict)


def deflated(content: bytes, level: int = 6) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _fields(part: Part, packed: bytes) -> dict[str, int | bytes]:
    return {
        "flags": part.flags,
        "method": part.method,
        "crc": zlib.crc32(part.content),
        "packed": len(packed),
        "size": len(part.content),
        "name": part.name,
    }


def build(
    *parts: Part,
    front: bytes = b"",
    comment: bytes = b"",
    tail: bytes = b"",
    end: dict[str, int] | None = None,
    zip64: dict[str, int] | None = None,
    locator: dict[str, int] | None = None,
    between: bytes = b"",
) -> bytes:
    """The zip; `end`, `zip64` and `locator` replace fields of the records at the end by name."""
    data = bytearray(front)
    directory = bytearray()
    for part in parts:
        packed = part.packed
        if packed is None:
            packed = deflated(part.content) if part.method == 8 else part.content
        offset = len(data)
        here = _fields(part, packed) | part.local
        data += struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, here["flags"], here["method"], 0, 33, here["crc"], here["packed"],
            here["size"], len(bytes(here["name"])), len(part.local_extra),
        )  # fmt: skip
        data += bytes(here["name"]) + part.local_extra + packed + (part.descriptor or b"")
        there = _fields(part, packed) | {"offset": offset, "disk": 0, "made_by": 3 << 8 | 20} | part.central
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", there["made_by"], 20, there["flags"], there["method"], 0, 33, there["crc"],
            there["packed"], there["size"], len(bytes(there["name"])), len(part.extra), 0, there["disk"], 0,
            part.mode << 16, there["offset"],
        )  # fmt: skip
        directory += bytes(there["name"]) + part.extra
    return bytes(data) + between + _ending(data, between, directory, len(parts), comment, end, zip64, locator) + tail


def _ending(
    data: bytearray,
    between: bytes,
    directory: bytearray,
    count: int,
    comment: bytes,
    end: dict[str, int] | None,
    zip64: dict[str, int] | None,
    locator: dict[str, int] | None,
) -> bytes:
    start = len(data) + len(between)
    out = bytes(directory)
    narrow = {"disk": 0, "directory_disk": 0, "here": count, "entries": count, "size": len(directory), "offset": start}
    if zip64 is not None:
        wide = {"length": 44, **narrow} | zip64
        out += struct.pack(
            "<4sQ2H2L4Q", b"PK\6\6", wide["length"], 45, 45, wide["disk"], wide["directory_disk"], wide["here"],
            wide["entries"], wide["size"], wide["offset"],
        )  # fmt: skip
        place = {"disk": 0, "offset": start + len(directory), "disks": 1} | (locator or {})
        out += struct.pack("<4sLQL", b"PK\6\7", place["disk"], place["offset"], place["disks"])
        narrow |= {"here": 0xFFFF, "entries": 0xFFFF, "size": FULL, "offset": FULL}
    narrow |= end or {}
    return out + struct.pack("<4s4H2LH", b"PK\5\6", *narrow.values(), len(comment)) + comment


def zip64_extra(*numbers: int) -> bytes:
    return struct.pack(f"<2H{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
