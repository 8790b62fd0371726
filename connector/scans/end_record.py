"""The end of a zip: where its table of contents lies and how many entries it holds, zip64 included."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

from connector.scans.limits import Limits
from connector.scans.rejection import ArchiveRejected

END = struct.Struct("<4s4H2LH")
LOCATOR = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
END_MARK, LOCATOR_MARK, END64_MARK, LOCAL_MARK = b"PK\5\6", b"PK\6\7", b"PK\6\6", b"PK\3\4"
LONGEST_COMMENT = 0xFFFF


@dataclass(frozen=True, slots=True)
class DirectoryPlace:
    """Where the central directory lies: byte offset, size in bytes, and the number of entries."""

    offset: int
    size: int
    entries: int

    @property
    def end(self) -> int:
        """The offset of the first byte behind the directory."""
        return self.offset + self.size


def find_directory(file: BinaryIO, file_size: int, limits: Limits) -> DirectoryPlace:
    """Read the end record(s); raises ArchiveRejected when there is not exactly one reading of them."""
    if file_size > limits.file_size:
        raise ArchiveRejected("too_large")
    file.seek(0)
    start = file.read(4)
    if start not in (LOCAL_MARK, END_MARK):
        raise ArchiveRejected("truncated" if LOCAL_MARK.startswith(start) else "not_a_zip")
    end_offset, fields = _end_record(file, file_size)
    disk, directory_disk, here, entries, size, offset = fields
    stated = DirectoryPlace(offset, size, entries)
    wide = _zip64_record(file, end_offset)
    if wide is not None:
        stated, end_offset = _agreed(stated, wide[0]), wide[1]
    if (disk not in (0, 0xFFFF)) or (directory_disk not in (0, 0xFFFF)) or here != entries:
        raise ArchiveRejected("multi_disk")
    if stated.entries > limits.members:
        raise ArchiveRejected("too_many_members")
    if stated.size > limits.directory_size:
        raise ArchiveRejected("too_large")
    if stated.end != end_offset:
        raise ArchiveRejected("bad_directory")
    return stated


def _end_record(file: BinaryIO, file_size: int) -> tuple[int, tuple[int, int, int, int, int, int]]:
    """The offset and the fields of the one end record whose comment reaches the file's last byte exactly."""
    tail_start = max(0, file_size - END.size - LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read(END.size + LONGEST_COMMENT)
    marks = _every(tail, END_MARK)
    exact = [at for at in marks if at + END.size <= len(tail) and _comment_end(tail, at) == len(tail)]
    if not exact:
        cut_short = not marks or marks[-1] + END.size > len(tail) or _comment_end(tail, marks[-1]) > len(tail)
        raise ArchiveRejected("truncated" if cut_short else "trailing_data")
    # A second mark inside the comment makes other programs start from there.
    if len(exact) > 1 or marks[-1] != exact[0]:
        raise ArchiveRejected("ambiguous_end")
    _, disk, directory_disk, here, entries, size, offset, _ = END.unpack_from(tail, exact[0])
    return tail_start + exact[0], (disk, directory_disk, here, entries, size, offset)


def _every(data: bytes, mark: bytes) -> list[int]:
    found, at = [], data.find(mark)
    while at >= 0:
        found.append(at)
        at = data.find(mark, at + 1)
    return found


def _comment_end(tail: bytes, at: int) -> int:
    return at + END.size + int.from_bytes(tail[at + 20 : at + 22], "little")


def _zip64_record(file: BinaryIO, end_offset: int) -> tuple[DirectoryPlace, int] | None:
    """The wide record that a locator right before the end record points to, and its offset."""
    if end_offset < LOCATOR.size:
        return None
    file.seek(end_offset - LOCATOR.size)
    mark, disk, offset, disks = LOCATOR.unpack(file.read(LOCATOR.size))
    if mark != LOCATOR_MARK:
        return None
    if disk != 0 or disks > 1:
        raise ArchiveRejected("multi_disk")
    if offset + END64.size > end_offset - LOCATOR.size:
        raise ArchiveRejected("zip64_mismatch")
    file.seek(offset)
    mark, length, _, _, disk, directory_disk, here, entries, size, start = END64.unpack(file.read(END64.size))
    if mark != END64_MARK or offset + 12 + length != end_offset - LOCATOR.size:
        raise ArchiveRejected("zip64_mismatch")
    if disk or directory_disk or here != entries:
        raise ArchiveRejected("multi_disk")
    return DirectoryPlace(start, size, entries), offset


def _agreed(narrow: DirectoryPlace, wide: DirectoryPlace) -> DirectoryPlace:
    """The wide record, when each narrow field is either full (all ones) or says the same."""
    pairs = (
        (narrow.entries, wide.entries, 0xFFFF),
        (narrow.size, wide.size, 0xFFFF_FFFF),
        (narrow.offset, wide.offset, 0xFFFF_FFFF),
    )
    if any(small not in (big, full) for small, big, full in pairs):
        raise ArchiveRejected("zip64_mismatch")
    return wide
