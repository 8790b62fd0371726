"""Before an answer with stored bytes begins: they are the ones that were stored, or the answer says in words why not.

Each answer hashes what it hands out. The first one of a zip proves all of it and keeps its pieces; from then on a range
costs its own pieces only (soundness.py; docs/decisions/0029).
"""

import logging
from functools import partial

from django.db import connection

from connector.orders.models import Revision, ScanFile
from connector.orders.repair import keep_sound, look_after
from connector.orders.soundness import CHANGED, MISSING, look, look_at_member, look_at_part
from labportal.labs.afterwards import afterwards

log = logging.getLogger(__name__)
LONGEST_LOOK = "30min"


class FileMissing(Exception):
    """A file that the database names is not in the store."""

    code = "file_missing"


class FileUnreadable(FileMissing):
    """The store does not give a file back: a disk's trouble, or a bucket that is away."""

    code = "file_unreadable"


class FileDamaged(FileMissing):
    """A stored file is not what was stored. `again`: it is fetched from Align again; else it is held back."""

    code = "file_damaged"

    def __init__(self, *, again: bool) -> None:
        super().__init__(self.code)
        self.again = again


def must_be_sound(revision: Revision, part: tuple[int, int] | None = None) -> None:
    """All of a stored zip, or the part from the first to the last byte; the revision comes with its order. Errors:
    FileMissing, FileUnreadable, FileDamaged."""
    _take_time()
    if revision.pieces:
        _refuse_bad(revision, look_at_part(revision, *(part or (0, (revision.size or 1) - 1))))
        return
    found = look(revision)
    _refuse_bad(revision, found.code)
    keep_sound(revision, found)


def member_must_be_sound(file: ScanFile) -> None:
    """One file of a stored zip. Errors: FileMissing, FileUnreadable, FileDamaged."""
    _take_time()
    _refuse_bad(file.revision, look_at_member(file.revision, file.member, file.sha256))


def _take_time() -> None:
    """While bytes are hashed, or come from a bucket, the database is asked nothing, and it would end the transaction
    of this request after two minutes of that (labportal/roles.py)."""
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = %s", [LONGEST_LOOK])


def _refuse_bad(revision: Revision, code: str) -> None:
    if not code:
        return
    log.error("stored_file_%s revision %s", code, revision.pk)
    if code != CHANGED:
        raise FileMissing if code == MISSING else FileUnreadable
    # Hashed once more when this request's transaction is over, and repaired if it is so.
    afterwards(partial(look_after, revision.lab_id, revision.pk))
    raise FileDamaged(again=revision.number == revision.order.latest_number)
