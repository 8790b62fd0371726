"""Whether a stored zip still is what was stored: its SHA-256 against the row's, and that of each of its pieces.

Bit rot changes neither a file's time nor its size, so no memory of an earlier look can stand for another one. What is
kept instead is what the bytes were: on the way through a sound zip each piece is hashed as well. From then on a part
of it is proved by hashing its own pieces alone, and no byte leaves before its piece was hashed.
"""

import hashlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from django.db.models import F
from django.db.models.functions import Coalesce

from connector.orders import store
from connector.orders.models import Revision
from connector.scans.archive import open_member
from connector.scans.rejection import ArchiveRejected

PIECE = 4 << 20
WIDTH = hashlib.sha256().digest_size
log = logging.getLogger(__name__)
MISSING, CHANGED, UNREADABLE = "missing", "changed", "unreadable"
# When a zip was last seen to be sound; it is hashed while it is stored. The index of the sweep is on the same.
LAST_SOUND = Coalesce(F("checked_at"), F("stored_at"), F("seen_at"))


class PieceChanged(Exception):
    """A piece of a stored zip is not what was stored; the answer that was to hold it breaks off."""

    code = "piece_changed"


@dataclass(frozen=True)
class Look:
    """`code` is '' for a sound zip, else MISSING, CHANGED or UNREADABLE; `pieces` is the SHA-256 of each PIECE bytes of
    a sound one, one behind the other."""

    code: str
    pieces: bytes = b""


def look(revision: Revision) -> Look:
    """Read the whole zip. No transaction needs to be open."""
    whole, pieces = hashlib.sha256(), bytearray()
    try:
        with store.open_stored(revision.archive) as file:
            for piece in _pieces_of(file):
                whole.update(piece)
                pieces += hashlib.sha256(piece).digest()
    except FileNotFoundError:
        return Look(_gone(revision))
    except OSError:
        return Look(UNREADABLE)  # the disk, or the way to it, doesn't give it back
    return Look("", bytes(pieces)) if whole.hexdigest() == revision.sha256 else Look(CHANGED)


def look_at_part(revision: Revision, first: int, last: int) -> str:
    """The code of a `look`, for these bytes alone; the revision's pieces are known."""
    try:
        with SoundStream(revision) as stream:
            for start in range(first - first % PIECE, last + 1, PIECE):
                stream.seek(start)
                stream.read(1)
    except FileNotFoundError:
        return _gone(revision)
    except OSError:
        return UNREADABLE
    except PieceChanged:
        return CHANGED
    return ""


def look_at_member(revision: Revision, member: int, sha256: str) -> str:
    """The code of a `look`, for one file in the zip, unpacked; the zip's structure counts with it."""
    digest = hashlib.sha256()
    try:
        with store.as_local_file(revision.archive) as path, open_member(path, member) as stream:
            while chunk := stream.read(PIECE):
                digest.update(chunk)
    except FileNotFoundError:
        return _gone(revision)
    except OSError:
        return UNREADABLE
    except ArchiveRejected:
        return CHANGED
    return "" if digest.hexdigest() == sha256 else CHANGED


def _gone(revision: Revision) -> str:
    """A repair puts a damaged zip aside before the row says so; one that died in between has left just that."""
    return CHANGED if store.is_put_aside(revision.archive) else MISSING


def _pieces_of(file: IO[Any]) -> Iterator[bytes]:
    """Full ones, but for the last: a store may read shorter than it was asked to."""
    while piece := _piece(file):
        yield piece


def _piece(file: IO[Any]) -> bytes:
    piece = bytearray()
    while len(piece) < PIECE and (chunk := file.read(PIECE - len(piece))):
        piece += chunk
    return bytes(piece)


class SoundStream(io.RawIOBase):
    """A stored zip, read forwards or from any place, that gives out proved bytes only. It asks no database. Errors:
    PieceChanged, OSError."""

    def __init__(self, revision: Revision) -> None:
        assert revision.pieces, "a zip is looked at as a whole before it is handed out"
        self._file = store.open_stored(revision.archive)
        self._hashes, self._size = bytes(revision.pieces), revision.size or 0
        self._revision = revision.pk
        self._at, self._number, self._piece = 0, -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence] + offset
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # the stub asks for any buffer, io gives views
        if self._at >= self._size:
            return 0
        number, place = divmod(self._at, PIECE)
        if number != self._number:
            self._piece, self._number = self._proved(number), number
        chunk = self._piece[place : place + len(buffer)]
        buffer[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def _proved(self, number: int) -> bytes:
        self._file.seek(number * PIECE)
        piece = _piece(self._file)
        if hashlib.sha256(piece).digest() != self._hashes[number * WIDTH : (number + 1) * WIDTH]:
            log.error("stored_piece_changed revision %s", self._revision)
            raise PieceChanged
        return piece

    def close(self) -> None:
        self._file.close()
        super().close()
