"""A case whose zip lies in the store and was read, by the same steps that intake takes."""

import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from django.utils import timezone

from connector.intake.reading import read_revision
from connector.orders import store
from connector.orders.models import Order, Revision, RevisionState
from connector.simulator.cases import build_full_zip, invent_case
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab


@dataclass(frozen=True)
class Stored:
    """An order whose first revision has its files; `zip` is the whole content, `members` each file's by its name."""

    order: Order
    revision: Revision
    zip: bytes
    members: dict[str, bytes]

    @property
    def url(self) -> str:
        return f"/cases/{self.order.pk}"

    @property
    def zip_url(self) -> str:
        return f"{self.url}/revisions/{self.revision.number}/zip"


@cache
def zip_bytes(seed: int = 7) -> bytes:
    """A small restorative case as the scanner makes it."""
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "scan.zip"
        build_full_zip(invent_case(seed, "114582239", family="restorative", triangles=300), part)
        return part.read_bytes()


def put_in_store(lab: Lab, order: Order, folder: Path, content: bytes, number: int = 1) -> Revision:
    """The revision is STORED: its zip is in the store, nothing is read yet."""
    part = folder / f"{order.pk}.part"
    part.write_bytes(content)
    with in_lab(lab.pk):
        revision = Revision.objects.of(lab).get(order=order, number=number)
        revision.archive = store.archive_name(lab.pk, order.pk, revision.pk)
        revision.state, revision.stored_at = RevisionState.STORED, timezone.now()
        revision.size, revision.sha256 = len(content), hashlib.sha256(content).hexdigest()
        revision.save()
    store.take_over(part, revision.archive)
    return revision


def read_in_store(lab: Lab, revision_id: UUID) -> Revision:
    """The revision is READY, as the worker's examination leaves it."""
    read_revision(lab.pk, revision_id)
    with in_lab(lab.pk):
        return Revision.objects.of(lab).select_related("order").get(pk=revision_id)


def stored(lab: Lab, order: Order, folder: Path, *, read: bool = True) -> Stored:
    content = zip_bytes()
    revision = put_in_store(lab, order, folder, content)
    if read:
        revision = read_in_store(lab, revision.pk)
    return Stored(order, revision, content, members(content))


def members(content: bytes) -> dict[str, bytes]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        with zipfile.ZipFile(file) as archive:
            return {entry.filename: archive.read(entry) for entry in archive.infolist() if not entry.is_dir()}


def rot(revision: Revision, *, member: int | None = None, at: int | None = None) -> None:
    """Flip one bit of the stored zip, at a place, in the data of a member, or in the middle; the file's times stay."""
    path = store.local_path(revision.archive)
    assert path is not None
    content, times = bytearray(path.read_bytes()), path.stat()
    if member is not None:
        with zipfile.ZipFile(path) as archive:
            entry = archive.infolist()[member]
        at = entry.header_offset + 30 + len(entry.filename.encode()) + entry.compress_size // 2
    content[len(content) // 2 if at is None else at] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
