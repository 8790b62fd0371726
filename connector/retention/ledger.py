"""Removals, written down outside the database: a backup that is older than a removal would bring the case back.

ERASURES_FILE: a line a removed scan, `{"at", "lab", "order"}`: our own ids, which say nothing of a person. Written
before the bytes go, perhaps twice. After a restore, `manage.py erase_again` removes them anew (replay.py).
"""

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from connector.orders.models import Revision


def write_down(revision: Revision) -> None:
    """Append and fsync; the lines of several processes do not mix. Errors: OSError."""
    line = {"at": timezone.now().isoformat(), "lab": str(revision.lab_id), "order": str(revision.order_id)}
    path = Path(settings.ERASURES_FILE)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(line).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def written(path: Path) -> Iterator[tuple[UUID, UUID, datetime]]:
    """(lab, order, when last). Errors: OSError; ValueError, KeyError, TypeError for a file that is none of ours."""
    newest: dict[tuple[UUID, UUID], datetime] = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        newest[UUID(row["lab"]), UUID(row["order"])] = datetime.fromisoformat(row["at"])
    for (lab_id, order_id), at in newest.items():
        yield lab_id, order_id, at
