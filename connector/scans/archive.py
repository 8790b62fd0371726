"""The zip guard: does not trust Python's zipfile (3.11.7 accepts overlap bombs, CVE-2024-0450), never extracts."""

import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connector.scans.directory import DEFLATED, Entry, read_directory
from connector.scans.end_record import find_directory
from connector.scans.extents import Extent, read_extents
from connector.scans.limits import LIMITS, Limits
from connector.scans.rejection import ArchiveRejected, label

CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Member:
    """A file in the zip: its place in the table of contents, name as written, inflated size in bytes, checksums."""

    index: int
    name: str
    size: int
    sha256: str
    crc: int


@dataclass(frozen=True, slots=True)
class ArchiveListing:
    """What a checked zip holds (folders left out), in the order of its table of contents; `inflated` in bytes."""

    members: tuple[Member, ...]
    inflated: int


def check_archive(path: Path, limits: Limits = LIMITS) -> ArchiveListing:
    """Check a zip from end record to every byte of every member; raises ArchiveRejected, or OSError from the disk."""
    with path.open("rb") as file:
        extents = _structure(file, limits)
        members = [_verified(file, extent) for extent in extents]
    files = sorted((m for m in members if not m.name.endswith("/")), key=lambda member: member.index)
    return ArchiveListing(tuple(files), sum(member.size for member in files))


def _structure(file: BinaryIO, limits: Limits) -> tuple[Extent, ...]:
    """Every check that needs no unpacking."""
    file_size = os.fstat(file.fileno()).st_size
    place = find_directory(file, file_size, limits)
    entries = read_directory(file, place)
    _refuse_swollen(entries, file_size, limits)
    return read_extents(file, entries, place)


def _refuse_swollen(entries: tuple[Entry, ...], file_size: int, limits: Limits) -> None:
    total = sum(entry.size for entry in entries)
    for entry in entries:
        if entry.size > max(limits.free_per_member, entry.packed * limits.ratio):
            raise entry.rejected("ratio" if entry.size <= limits.inflated else "too_large")
    if total > limits.inflated:
        raise ArchiveRejected("too_large")
    if total > max(limits.free_in_all, file_size * limits.ratio):
        raise ArchiveRejected("ratio")


def _verified(file: BinaryIO, extent: Extent) -> Member:
    digest = hashlib.sha256()
    for chunk in _inflated(file, extent):
        digest.update(chunk)
    entry = extent.entry
    return Member(entry.index, entry.name, entry.size, digest.hexdigest(), entry.crc)


def _inflated(file: BinaryIO, extent: Extent) -> Iterator[bytes]:
    """The member's bytes in bounded chunks; raises ArchiveRejected before more than the stated size is given out."""
    entry = extent.entry
    file.seek(extent.data)
    size, crc = 0, 0
    source = _unpacked(file, entry) if entry.method == DEFLATED else _raw(file, entry)
    for chunk in source:
        size += len(chunk)
        if size > entry.size:
            raise entry.rejected("size_mismatch")
        crc = zlib.crc32(chunk, crc)
        yield chunk
    if size != entry.size:
        raise entry.rejected("size_mismatch")
    if crc != entry.crc:
        raise entry.rejected("bad_crc")


def _raw(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    left = entry.packed
    while left:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise entry.rejected("truncated")
        left -= len(chunk)
        yield chunk


def _unpacked(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for packed in _raw(file, entry):
            while packed:
                chunk = inflater.decompress(packed, CHUNK)
                packed = inflater.unconsumed_tail
                if chunk:
                    yield chunk
                if inflater.eof and (packed or inflater.unused_data):
                    raise entry.rejected("bad_data")
        if not inflater.eof and (rest := inflater.flush()):
            yield rest
    except zlib.error:
        raise entry.rejected("bad_data") from None
    if not inflater.eof:
        raise entry.rejected("bad_data")


class _MemberStream(io.RawIOBase):
    """Reads one member forwards; owns the zip's file handle."""

    def __init__(self, file: BinaryIO, extent: Extent) -> None:
        self._file = file
        self._chunks = _inflated(file, extent)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub asks for any buffer, io gives views
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_member(path: Path, member: int | str, limits: Limits = LIMITS) -> BinaryIO:
    """A forward reader of one member, by index or by name as written; raises ArchiveRejected, also while reading.

    The zip's structure is checked again on each opening; size and CRC are checked while bytes are given out, so a
    reader that reaches the end has read exactly what the listing says.
    """
    file = path.open("rb")
    try:
        for extent in _structure(file, limits):
            if member in (extent.entry.index, extent.entry.name) and not extent.entry.is_folder:
                return io.BufferedReader(_MemberStream(file, extent), CHUNK)
        raise ArchiveRejected("no_such_member", label(str(member)))
    except BaseException:
        file.close()
        raise
