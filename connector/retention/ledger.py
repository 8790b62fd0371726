"""Removals, written down outside the database: a backup that is older than a removal would bring the case back.

ERASURES_FILE: a line a removed scan, `{"at", "lab", "order", "scan"}`: our own ids and the scan's number, which say
nothing of a person. Written before the bytes go, perhaps twice and perhaps hours after the case was removed. After a
restore, `manage.py erase_again` removes them anew (replay.py).
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from connector.orders.models import Revision


def write_down(revision: Revision) -> None:
    """Append and fsync; the lines of several processes do not mix. Errors: OSError."""
    ids = {"lab": str(revision.lab_id), "order": str(revision.order_id), "scan": revision.number}
    line = {"at": timezone.now().isoformat(), **ids}
    path = Path(settings.ERASURES_FILE)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class Removed:
    """A case, when something of it was last removed, and the number of its newest scan that was; None in lines of
    earlier releases."""

    lab_id: UUID
    order_id: UUID
    at: datetime
    scan: int | None


def written(path: Path) -> Iterator[Removed]:
    """Each case once. Errors: OSError; ValueError, KeyError, TypeError for a file that is none of ours."""
    newest: dict[tuple[UUID, UUID], Removed] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        key = UUID(row["lab"]), UUID(row["order"])
        before, scan = newest.get(key), row.get("scan")
        scans = [number for number in (before.scan if before else None, scan) if number is not None]
        newest[key] = Removed(*key, datetime.fromisoformat(row["at"]), max(scans, default=None))
    yield from newest.values()
