"""Previews and pictures that we make from a zip: one that is no longer what was made is never shown, but made again.

Each is named by the SHA-256 of its own bytes, so that whoever reads it can tell; docs/decisions/0037. One with another
name was made by an earlier version, and is shown as it is.
"""

import hashlib
import logging
import re
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.core.files import File
from django.db.models import Q
from django.utils import timezone

from connector.orders import store
from connector.orders.history import record
from connector.orders.models import Order, Revision, RevisionState, ScanFile
from labportal.labs.tenancy import in_lab

log = logging.getLogger(__name__)
MISSING, CHANGED, UNREADABLE = "preview_missing", "preview_changed", "preview_unreadable"
CODES = {MISSING, CHANGED, UNREADABLE}
PROOF = re.compile(r"/sha256-([0-9a-f]{64})\.")
# A disk that spoils what it is given would otherwise have the same zip read at each look; one that could not be read as
# it should is given a day.
NOT_BEFORE, NOT_BEFORE_TROUBLED = timedelta(minutes=10), timedelta(days=1)


class DerivedChanged(Exception):
    """A preview or picture is not what was made."""

    code = CHANGED


def keep(archive: str, file: Path) -> str:
    """Put a preview or picture beside its zip; its name in the store. A crash leaves no half of it under that name."""
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    name = store.derived_name(archive, f"sha256-{digest}{file.suffix}")
    path = store.local_path(name)
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = file.with_name(f"{file.name}.copy")  # two equal files of a zip share one
        shutil.copyfile(file, copy)
        copy.replace(path)
        return name
    if store.scans().exists(name):
        store.scans().delete(name)
    with file.open("rb") as stream:
        store.scans().save(name, File(stream))
    return name


def proved(name: str) -> bytes:
    """All of a preview or picture; a few MB at most. Errors: DerivedChanged, OSError."""
    with store.open_stored(name) as file:
        content: bytes = file.read()
    proof = PROOF.search(name)
    if proof and hashlib.sha256(content).hexdigest() != proof[1]:
        raise DerivedChanged
    return content


def look(revision: Revision) -> str:
    """'' when all that was made of this revision is as it was, else one of CODES. No transaction needs to be open."""
    return next(filter(None, map(look_at, _names(revision))), "")


def look_at(name: str) -> str:
    """As `look`, of one preview or picture."""
    try:
        proved(name)
    except DerivedChanged:
        return CHANGED
    except FileNotFoundError:
        return MISSING
    except OSError:
        return UNREADABLE
    return ""


def _names(revision: Revision) -> list[str]:
    with in_lab(revision.lab_id):
        files = ScanFile.objects.of(revision.lab_id).filter(revision=revision).exclude(preview="")
        ours = store.derived_name(revision.archive, "")
        small = Order.objects.of(revision.lab_id).filter(pk=revision.order_id, thumbnail__startswith=ours)
        return [*files.values_list("preview", flat=True), *small.values_list("thumbnail", flat=True)]


def make_again(lab_id: UUID, revision_id: UUID) -> bool:
    """Have the zip read once more, by the sweep; whether it will be. A case of which only the pictures were fetched
    has no zip to make them from: they come with its files."""
    now = timezone.now()
    with in_lab(lab_id):
        rows = Revision.objects.of(lab_id).filter(pk=revision_id, state=RevisionState.READY)
        ready = rows.filter(Q(reason="", ready_at__lt=now - NOT_BEFORE) | Q(ready_at__lt=now - NOT_BEFORE_TROUBLED))
        revision = ready.select_related("order").first()
        if revision is None or not _has_its_zip(revision):
            return False
        if not ready.update(state=RevisionState.STORED, next_due=now, lease_token=None, lease_until=None):
            return False
        record(revision.order, "preview_again", revision=revision, number=revision.number)
    log.error("preview_made_again revision %s", revision_id)
    return True


def _has_its_zip(revision: Revision) -> bool:
    try:
        return store.scans().exists(revision.archive)
    except OSError:
        return False  # the store is away: the next look tells
