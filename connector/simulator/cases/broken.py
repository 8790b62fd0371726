"""Zips that are wrong in one known way each, for the tests of whoever receives them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

from connector.simulator.cases.archive import member, write_bytes
from connector.simulator.cases.exports import full_members
from connector.simulator.cases.gallery import gallery_pictures
from connector.simulator.cases.spec import CaseSpec

CENTRAL_ENTRY = b"PK\x01\x02"
ENCRYPTED = 0x1
BOMB_MB = 64  # inflated size of the bomb's one real member; about 64 KB packed
OVERLAPS = 40  # further names that claim the same packed bytes


def broken_zip(spec: CaseSpec, kind: str, out: Path) -> None:
    """Write this case's zip broken in the way of `kind` (one of BROKEN_KINDS, else KeyError) to `out`."""
    write_bytes(out, _BREAKERS[kind](spec))


def _packed(spec: CaseSpec, members: list[tuple[str, bytes]]) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for name, content in members:
            archive.writestr(member(name, spec.scan_date), content, compresslevel=4)
    return memory.getvalue()


def _truncated(spec: CaseSpec) -> bytes:
    whole = _packed(spec, full_members(spec))
    return whole[: len(whole) * 3 // 5]


def _encrypted(spec: CaseSpec) -> bytes:
    whole = bytearray(_packed(spec, full_members(spec)))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        for info in archive.infolist():
            _set_flag(whole, info.header_offset + 6)
        start = archive.start_dir
    while whole[start : start + 4] == CENTRAL_ENTRY:
        _set_flag(whole, start + 8)
        name, extra, comment = struct.unpack_from("<HHH", whole, start + 28)
        start += 46 + name + extra + comment
    return bytes(whole)


def _set_flag(raw: bytearray, place: int) -> None:
    (flags,) = struct.unpack_from("<H", raw, place)
    struct.pack_into("<H", raw, place, flags | ENCRYPTED)


def _traversal(spec: CaseSpec) -> bytes:
    names = ("../../outside.txt", "/etc/itero-outside.txt", "..\\..\\outside.txt", "C:\\outside.txt")
    return _packed(spec, full_members(spec) + [(name, b"This file lies outside.\n") for name in names])


def _bomb(spec: CaseSpec) -> bytes:
    """A member of zeros (ratio near 1000) and many directory entries that overlap its packed bytes."""
    whole = _packed(spec, [*gallery_pictures(spec), ("00_upper_jaw.stl", bytes(BOMB_MB << 20))])
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        start, count = archive.start_dir, len(archive.infolist())
    end = whole.rindex(b"PK\x05\x06")
    last = whole.rindex(CENTRAL_ENTRY, 0, end)
    names = [f"{number:02d}_upper_jaw.stl".encode() for number in range(1, OVERLAPS + 1)]
    copies = b"".join(whole[last : last + 46] + name for name in names)
    directory = whole[start:end] + copies
    total = count + OVERLAPS
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, total, total, len(directory), start, 0)
    return whole[:start] + directory + tail


def _broken_mesh(spec: CaseSpec) -> bytes:
    """The first mesh is broken: a PLY ends in the middle, an STL counts more triangles than it has."""
    broken: list[tuple[str, bytes]] = []
    done = False
    for name, content in full_members(spec):
        if not done and name.endswith(".stl"):
            content, done = content[:80] + struct.pack("<L", 4_000_000_000) + content[84:], True
        elif not done and name.endswith(".ply"):
            content, done = content[: len(content) // 2], True
        broken.append((name, content))
    return _packed(spec, broken)


def _no_metadata(spec: CaseSpec) -> bytes:
    return _packed(spec, [(name, content) for name, content in full_members(spec) if not name.endswith(".xml")])


def _duplicate_names(spec: CaseSpec) -> bytes:
    """One name twice; the second entry is renamed afterwards, since the zip writer warns of a plain repeat."""
    pictures = gallery_pictures(spec)
    first, second = pictures[0][0].encode(), pictures[0][0].replace(".jpg", ".JPX").encode()
    whole = _packed(spec, [*full_members(spec), (second.decode(), pictures[1][1])])
    return whole.replace(second, first)


def _symlink(spec: CaseSpec) -> bytes:
    memory = io.BytesIO(_packed(spec, full_members(spec)))
    link = member("latest_upper_jaw.ply", spec.scan_date)
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(memory, "a") as archive:
        archive.writestr(link, b"/etc/passwd")
    return memory.getvalue()


_BREAKERS: dict[str, Callable[[CaseSpec], bytes]] = {
    "truncated": _truncated,
    "encrypted": _encrypted,
    "traversal": _traversal,
    "bomb": _bomb,
    "broken_mesh": _broken_mesh,
    "no_metadata": _no_metadata,
    "duplicate_names": _duplicate_names,
    "symlink": _symlink,
}
BROKEN_KINDS = tuple(_BREAKERS)
