"""The lab's entries as a file, written inside the lab's transaction; what streams afterwards is that file."""

import csv
import io
import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, Any

from labportal.audit.models import Entry

IN_MEMORY = 4 << 20  # bytes; a longer export goes through a file on the disk
COLUMNS = (
    "seq", "at", "actor_kind", "actor_id", "actor_name", "actor_code", "action", "object_type", "object_id", "facts",
    "ip", "previous", "hash",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(entries: Iterable[Entry], names: dict[str, str]) -> IO[bytes]:
    """One line an entry, oldest last, with a byte order mark for spreadsheets."""
    return _file(_csv_lines(entries, names))


def as_json(entries: Iterable[Entry], names: dict[str, str]) -> IO[bytes]:
    """A list of objects; `facts` is the hashed text, word for word."""
    return _file(_json_pieces(entries, names))


def _csv_lines(entries: Iterable[Entry], names: dict[str, str]) -> Iterator[str]:
    yield "\ufeff"
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    for entry in entries:
        writer.writerow([_safe(value) for value in _values(entry, names).values()])
        yield line.getvalue()
        line.seek(0)
        line.truncate()
    yield line.getvalue()


def _json_pieces(entries: Iterable[Entry], names: dict[str, str]) -> Iterator[str]:
    before = "[\n"
    for entry in entries:
        yield before + json.dumps(_values(entry, names), ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _values(entry: Entry, names: dict[str, str]) -> dict[str, Any]:
    own = {
        "at": entry.at.isoformat(timespec="microseconds"),
        "actor_id": str(entry.actor_id or ""),
        "actor_name": names.get(str(entry.actor_id), ""),
    }
    return {column: own[column] if column in own else getattr(entry, column) for column in COLUMNS}


def _safe(value: object) -> str:
    """A spreadsheet would run a cell that begins like a formula."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _file(pieces: Iterator[str]) -> IO[bytes]:
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the answer closes it
    for piece in pieces:
        file.write(piece.encode())
    file.seek(0)
    return file
