"""The zip's table of contents: every entry, each checked for itself."""

import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from connector.scans.end_record import DirectoryPlace
from connector.scans.member_names import decode_name, refuse_twins, refuse_unsafe
from connector.scans.rejection import ArchiveRejected, label

ENTRY = struct.Struct("<4s6H3L5H2L")
ENTRY_MARK = b"PK\1\2"
STORED, DEFLATED = 0, 8
ENCRYPTED, DESCRIPTOR, PATCHED, STRONG, MASKED = 1 << 0, 1 << 3, 1 << 5, 1 << 6, 1 << 13
ZIP64_EXTRA, PKWARE_UNIX_EXTRA, ASI_UNIX_EXTRA, UNICODE_PATH_EXTRA = 0x0001, 0x000D, 0x756E, 0x7075
FULL = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table of contents; sizes and offset in bytes."""

    index: int
    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def is_folder(self) -> bool:
        """Whether the entry only says that a folder exists."""
        return self.name.endswith("/")

    @property
    def has_descriptor(self) -> bool:
        """Whether the sizes follow the data instead of preceding it."""
        return bool(self.flags & DESCRIPTOR)

    def rejected(self, code: str) -> ArchiveRejected:
        """The refusal of the zip because of this entry."""
        return ArchiveRejected(code, label(self.name))


def read_directory(file: BinaryIO, place: DirectoryPlace) -> tuple[Entry, ...]:
    """All entries in the order of the table; raises ArchiveRejected for what no honest scan contains."""
    file.seek(place.offset)
    data = file.read(place.size)
    entries: list[Entry] = []
    at = 0
    for index in range(place.entries):
        entry, at = _entry(data, at, index)
        entries.append(entry)
    if at != len(data) or len(data) != place.size:
        raise ArchiveRejected("bad_directory")
    refuse_twins([entry.name for entry in entries])
    return tuple(entries)


def _entry(data: bytes, at: int, index: int) -> tuple[Entry, int]:
    if at + ENTRY.size > len(data):
        raise ArchiveRejected("bad_directory")
    fields = ENTRY.unpack_from(data, at)
    mark, _, _, flags, method, _, _, crc, packed, size, *lengths, disk, _, outer, offset = fields
    name_len, extra_len, comment_len = lengths
    name_at = at + ENTRY.size
    extra_at = name_at + name_len
    end = extra_at + extra_len + comment_len
    if mark != ENTRY_MARK or end > len(data):
        raise ArchiveRejected("bad_directory")
    raw_name = data[name_at:extra_at]
    name = decode_name(raw_name, utf8_flag=bool(flags & 1 << 11))
    refuse_unsafe(name)
    extra = data[extra_at : extra_at + extra_len]
    packed, size, offset, disk = _widened(extra, name, packed=packed, size=size, offset=offset, disk=disk)
    entry = Entry(index, name, raw_name, flags, method, crc, packed, size, offset)
    _refuse_kind(entry, disk)
    _refuse_link(entry, outer >> 16, extra)
    return entry, end


def _widened(extra: bytes, name: str, *, packed: int, size: int, offset: int, disk: int) -> tuple[int, int, int, int]:
    """The numbers that did not fit into 32 bits, from the zip64 extra field."""
    wide = [field for kind, field in extra_fields(extra, name) if kind == ZIP64_EXTRA]
    full = [size == FULL, packed == FULL, offset == FULL, disk == 0xFFFF]
    if not wide and not any(full):
        return packed, size, offset, disk
    if len(wide) != 1 or len(wide[0]) < 8 * sum(full[:3]) + 4 * full[3]:
        raise ArchiveRejected("zip64_mismatch", label(name))
    numbers = [size, packed, offset, disk]
    at = 0
    for slot, width in enumerate((8, 8, 8, 4)):
        if full[slot]:
            numbers[slot] = int.from_bytes(wide[0][at : at + width], "little")
            at += width
    return numbers[1], numbers[0], numbers[2], numbers[3]


def extra_fields(extra: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """The (kind, bytes) records of an extra area; fewer than four bytes at its end are padding."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if at + 4 + length > len(extra):
            raise ArchiveRejected("bad_header", label(name))
        yield kind, extra[at + 4 : at + 4 + length]
        at += 4 + length


def _refuse_kind(entry: Entry, disk: int) -> None:
    if disk:
        raise entry.rejected("multi_disk")
    if entry.flags & (ENCRYPTED | STRONG | MASKED):
        raise entry.rejected("encrypted")
    if entry.method not in (STORED, DEFLATED) or entry.flags & PATCHED:
        raise entry.rejected("unsupported_method")
    if entry.method == STORED and entry.packed != entry.size:
        raise entry.rejected("size_mismatch")
    if entry.is_folder and entry.size:
        raise entry.rejected("bad_header")


def _refuse_link(entry: Entry, mode: int, extra: bytes) -> None:
    # Some programs obey the Unix mode whatever system the entry says it was made on.
    modes = [mode]
    for kind, field in extra_fields(extra, entry.name):
        if kind == ASI_UNIX_EXTRA and len(field) >= 6:
            modes.append(int.from_bytes(field[4:6], "little"))
        if kind == PKWARE_UNIX_EXTRA and len(field) > 12:  # behind 12 bytes of times and owners: a link's target
            raise entry.rejected("link")
        if kind == UNICODE_PATH_EXTRA and field[5:] != entry.name.encode("utf-8", "surrogatepass"):
            # Programs that read this field would see another name than the one that was checked.
            raise entry.rejected("unsafe_name")
    if any(stat.S_IFMT(each) not in (0, stat.S_IFREG, stat.S_IFDIR) for each in modes):
        raise entry.rejected("link")
