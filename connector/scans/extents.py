"""Where each member's bytes lie: local headers agree with the table of contents, and no two members share a byte."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from connector.scans.directory import DESCRIPTOR, ENCRYPTED, FULL, MASKED, STRONG, ZIP64_EXTRA, Entry, extra_fields
from connector.scans.end_record import LOCAL_MARK, DirectoryPlace
from connector.scans.rejection import ArchiveRejected

LOCAL = struct.Struct("<4s5H3L2H")
DESCRIPTOR_MARK = b"PK\7\x08"
# Flags that change how the bytes are read; the rest may differ between the two headers without harm.
DECISIVE_FLAGS = ENCRYPTED | DESCRIPTOR | STRONG | MASKED


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes of one member: header from `start`, packed data from `data`, all done before `end`."""

    entry: Entry
    start: int
    data: int
    end: int


def read_extents(file: BinaryIO, entries: tuple[Entry, ...], place: DirectoryPlace) -> tuple[Extent, ...]:
    """The extents in file order; raises ArchiveRejected when they disagree, overlap or leave the file."""
    extents = sorted((_extent(file, entry, place.offset) for entry in entries), key=lambda extent: extent.start)
    free_from = 0
    for extent in extents:
        if extent.start < free_from:
            raise extent.entry.rejected("overlap")
        free_from = extent.end
    if extents and free_from > place.offset:
        raise extents[-1].entry.rejected("overlap")
    return tuple(extents)


def _extent(file: BinaryIO, entry: Entry, limit: int) -> Extent:
    if entry.offset + LOCAL.size > limit:
        raise entry.rejected("outside")
    file.seek(entry.offset)
    fields = LOCAL.unpack(file.read(LOCAL.size))
    mark, _, flags, method, _, _, crc, packed, size, name_len, extra_len = fields
    name_at = entry.offset + LOCAL.size
    data_at = name_at + name_len + extra_len
    if mark != LOCAL_MARK:
        raise entry.rejected("bad_header")
    if data_at + entry.packed > limit:
        raise entry.rejected("outside")
    if file.read(name_len) != entry.raw_name or method != entry.method or (flags ^ entry.flags) & DECISIVE_FLAGS:
        raise entry.rejected("header_mismatch")
    packed, size = _widened(file.read(extra_len), entry, packed, size)
    _compare(entry, crc, packed, size)
    end = data_at + entry.packed
    if entry.has_descriptor:
        end += _descriptor_size(file, entry, end, limit)
    return Extent(entry, entry.offset, data_at, end)


def _widened(extra: bytes, entry: Entry, packed: int, size: int) -> tuple[int, int]:
    wide = [field for kind, field in extra_fields(extra, entry.name) if kind == ZIP64_EXTRA]
    if not wide:
        return packed, size
    if len(wide) > 1 or len(wide[0]) < 8 * ((size == FULL) + (packed == FULL)):
        raise entry.rejected("zip64_mismatch")
    at = 0
    if size == FULL:
        size, at = int.from_bytes(wide[0][:8], "little"), 8
    if packed == FULL:
        packed = int.from_bytes(wide[0][at : at + 8], "little")
    return packed, size


def _compare(entry: Entry, crc: int, packed: int, size: int) -> None:
    # With a descriptor the local fields are either empty or right; without one they must be right.
    blanks = (0, FULL) if entry.has_descriptor else ()
    pairs = ((crc, entry.crc), (packed, entry.packed), (size, entry.size))
    if any(local != central and local not in blanks for local, central in pairs):
        raise entry.rejected("header_mismatch")


def _descriptor_size(file: BinaryIO, entry: Entry, at: int, limit: int) -> int:
    """The length in bytes of the descriptor behind the data, in whichever of its four spellings it comes."""
    file.seek(at)
    found = file.read(min(24, limit - at))
    for numbers in ("<3L", "<L2Q"):
        if numbers == "<3L" and max(entry.packed, entry.size) > FULL:
            continue
        wanted = struct.pack(numbers, entry.crc, entry.packed, entry.size)
        for spelling in (DESCRIPTOR_MARK + wanted, wanted):
            if found.startswith(spelling):
                return len(spelling)
    raise ArchiveRejected("header_mismatch", entry.rejected("header_mismatch").member_label)
