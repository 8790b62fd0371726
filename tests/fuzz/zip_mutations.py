"""Mutations that know a zip: lies in a record's fields, and whole archives put together with lies."""

from __future__ import annotations

import struct
from random import Random

from tests.fuzz.byte_mutations import EDGES
from tests.scans.hostile import overlapping, quoted
from tests.scans.zips import Part, build, deflated, zip64_extra

# (mark, [(offset in the record, width)]): local header, table entry, end, zip64 end, zip64 locator, descriptor.
RECORDS = (
    (b"PK\3\4", [(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)]),
    (b"PK\1\2", [(4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2),
                  (38, 4), (42, 4)]),
    (b"PK\5\6", [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)]),
    (b"PK\6\6", [(4, 8), (16, 4), (20, 4), (24, 8), (32, 8), (40, 8), (48, 8)]),
    (b"PK\6\7", [(4, 4), (8, 8), (16, 4)]),
    (b"PK\7\x08", [(4, 4), (8, 4), (12, 4)]),
)  # fmt: skip
NAMES = (
    b"../../sentinel", b"/etc/passwd", b"..\\sentinel", b"C:\\x.stl", b"a/../../sentinel", b"a\0b.stl", b"CON",
    b"a.stl", b"A.STL", b"", b".", b"x" * 300, b"\xff\xfe.stl", "ü.stl".encode(), "u\u0308.stl".encode(), b"dir/",
    b"b_lower.ply", b"__MACOSX/._a", b"iTero_Export_#1_v50.xml", b"gallery.jpg", "\u202elts.exe".encode(), b"~/x",
    b"a//b", b"-rf", b"nested.zip", b"%2e%2e/x", b"=cmd.stl", b"<script>.stl", b"a\r\nb.stl",
)  # fmt: skip


def lie(rng: Random, data: bytes) -> bytes:
    """One to three fields of the records that are there say something else."""
    mutant = bytearray(data)
    places = [(at + offset, width) for mark, fields in RECORDS for at in _every(data, mark) for offset, width in fields]
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not places:
            break
        at, width = rng.choice(places)
        before = int.from_bytes(mutant[at : at + width], "little")
        value = rng.choice((*EDGES, before + 1, before - 1, before * 2, before ^ 1 << rng.randrange(16), len(data)))
        mutant[at : at + width] = (value & ((1 << 8 * width) - 1)).to_bytes(width, "little")
    return bytes(mutant)


def _every(data: bytes, mark: bytes) -> list[int]:
    found: list[int] = []
    at = data.find(mark)
    while at >= 0 and len(found) < 40:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def compose(rng: Random, contents: tuple[bytes, ...]) -> bytes:
    """A new archive of a few members, some of which lie alike in both of their headers; or an overlap bomb."""
    if rng.random() < 0.04:
        return rng.choice((overlapping, quoted))(rng.randrange(2, 60))
    parts = [_part(rng, place, rng.choice(contents)) for place in range(rng.choice((1, 1, 2, 3, 6)))]
    size = sum(len(part.content) for part in parts)
    ending = {rng.choice(("entries", "here", "size", "offset")): rng.choice((*EDGES[:12], size & 0xFFFF))}
    return build(
        *parts,
        front=rng.choice((b"", b"", b"", b"", b"MZ")),
        comment=rng.choice((b"", b"", b"comment", b"PK\5\6" + bytes(18))),
        tail=rng.choice((b"", b"", b"", b"", b"\0")),
        end=ending if rng.random() < 0.15 else None,
        zip64=rng.choice((None, None, None, {}, ending)),
    )


def _part(rng: Random, place: int, content: bytes) -> Part:
    both: dict[str, int | bytes] = {}
    if rng.random() < 0.15:
        value = rng.choice((*EDGES, len(content) + 1, len(content)))
        field = rng.choice(("size", "packed", "crc", "method"))
        both[field] = value & 0xFFFF if field == "method" else value
    name = rng.choice(NAMES) if rng.random() < 0.3 else b"%d_upper.%s" % (place, rng.choice((b"stl", b"ply", b"jpg")))
    part = Part(name, content, rng.choice((0, 8)), local=dict(both), central=dict(both))
    match rng.randrange(16):
        case 0:
            part.mode = rng.choice((0o120777, 0o040755, 0o020666, 0o100777, 0))
        case 1:
            part.flags = rng.choice((1, 8, 1 << 5, 1 << 6, 1 << 11, 1 << 13, 0xFFFF))
        case 2:
            part.packed = rng.choice((content[:-1], deflated(content)[:-2], deflated(content) + b"x", b"\x03\x00"))
        case 3:
            part.extra = rng.choice((zip64_extra(len(content)), b"\1\0\xff\0", struct.pack("<2HL", 0x7075, 4, 7)))
            part.local_extra = rng.choice((b"", part.extra))
    return part
