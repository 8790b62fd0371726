"""Where the bytes lie: the vendor's zip once and untouched, and what is derived from it.

Staging lies beside the store on the same file system, so that "take over" is a rename. With S3 as the store the zip is
uploaded from staging instead.
"""

import math
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils import timezone

from connector.orders.models import Revision
from connector.scans.child import PATIENTLY, Waiting
from labportal.faults import fault

ASIDE = ".damaged-"
FREE_FLOOR = 2 * 1024**3
LONGEST_READING = 24 * 3600.0


def scans() -> Storage:
    return storages["scans"]


def archive_name(lab_id: UUID, order_id: UUID, revision_id: UUID) -> str:
    """The store's name of a revision's zip; derived files lie beside it."""
    return f"labs/{lab_id}/{order_id}/{revision_id}/scan.zip"


def derived_name(archive: str, file_name: str) -> str:
    return f"{archive.rsplit('/', 1)[0]}/derived/{file_name}"


def owner_of(name: str) -> tuple[UUID, UUID]:
    """(lab, revision) of a zip or derived file by its name in the store."""
    _, lab_id, _, revision_id, *_ = name.split("/")
    return UUID(lab_id), UUID(revision_id)


def staging_folder(revision_id: UUID) -> Path:
    return Path(settings.SCANS_DIR) / "staging" / str(revision_id)


def staging(revision_id: UUID) -> Path:
    """The private folder in which one revision's download is built."""
    folder = staging_folder(revision_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def largest_that_fits() -> int:
    """Bytes of the largest download that may start: a third of what is free, 0 when less than FREE_FLOOR is."""
    Path(settings.SCANS_DIR).mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.SCANS_DIR).free
    return free // 3 if free >= FREE_FLOOR else 0


def local_path(name: str) -> Path | None:
    """The file's path where the store is a file system, else None."""
    storage = scans()
    return Path(storage.path(name)) if isinstance(storage, FileSystemStorage) else None


def upload(part: Path, name: str, *, waiting: Waiting = PATIENTLY) -> None:
    """Bring a complete staging file into a store that is no file system; elsewhere there is nothing to do yet. The
    staging file stays until the row says STORED: after a crash it is what is adopted.

    A thread sends, while this one does what there is to do in `waiting`. What that raises shuts the file under the
    thread and is raised here once the thread has ended: nothing uploads behind our back. What was read by then may
    arrive all the same, perhaps after the next worker's upload. That one adopted the same staging file, so the bytes
    are the same; were they not, the row's hash would tell, and the zip would be fetched again as any damaged one.
    Errors: OSError, whatever `waiting` raises."""
    if local_path(name) is not None:
        return
    with ThreadPoolExecutor(1) as pool, part.open("rb") as stream:
        sent = pool.submit(_send, stream, name)
        while not wait([sent], waiting.every).done:
            waiting.do()
        sent.result()


def _send(stream: IO[bytes], name: str) -> None:
    if scans().exists(name):
        scans().delete(name)  # of an attempt that never came to its row
    scans().save(name, File(stream))


def take_over(part: Path, name: str) -> None:
    """Make a complete, fsynced staging file the stored one: rename, then fsync the folders up to the lab's, whose entry
    may be as new. With a store that is no file system `upload` has done it."""
    path = local_path(name)
    if path is None or part == path:
        return  # the second: adopted under its final name after a crash
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.replace(path)
    fault("store.after_rename")
    for folder in list(path.parents)[:4]:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_aside(archive: str) -> None:
    """Move a damaged zip beside its place; it is never deleted, since it may still give a person something back. In a
    bucket its own versions keep it, when the new one is uploaded."""
    path = local_path(archive)
    if path is None:
        return
    with suppress(FileNotFoundError):
        path.rename(path.with_name(f"{path.name}{ASIDE}{timezone.now():%Y%m%dT%H%M%S%f}"))
        sync_folder(path.parent)


def is_put_aside(archive: str) -> bool:
    """Whether a damaged zip lies beside this place. Then the store is there: one that is not mounted shows nothing."""
    path = local_path(archive)
    return path is not None and any(path.parent.glob(f"{path.name}{ASIDE}*"))


def open_stored(name: str) -> IO[Any]:
    return scans().open(name, "rb")


@contextmanager
def as_local_file(name: str) -> Iterator[Path]:
    """A path to read a stored zip from; with S3 a copy that is gone afterwards."""
    path = local_path(name)
    if path is not None:
        yield path
        return
    folder = _copies()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _remove_copies("*", before=time.time() - LONGEST_READING)
    copy = folder / f"{name.split('/')[-2]}-{uuid4()}.zip"
    try:
        with scans().open(name, "rb") as source, copy.open("xb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def _copies() -> Path:
    return Path(settings.SCANS_DIR) / "staging" / "read"


def _remove_copies(pattern: str, *, before: float = math.inf) -> None:
    """What readers that were killed left behind."""
    for copy in _copies().glob(pattern):
        with suppress(FileNotFoundError):  # its reader has ended just now
            if copy.stat().st_mtime < before:
                copy.unlink()


def remove(revision: Revision) -> None:
    """Take away all that is stored of a revision: its zip, what was derived from it, its staging. Errors: OSError."""
    folder = archive_name(revision.lab_id, revision.order_id, revision.pk).rsplit("/", 1)[0]
    shutil.rmtree(staging_folder(revision.pk), ignore_errors=True)
    _remove_copies(f"{revision.pk}-*")
    path = local_path(folder)
    if path is None:
        _remove_objects(folder)
        return
    shutil.rmtree(path, onerror=_if_it_is_there)
    with suppress(FileNotFoundError):
        sync_folder(path.parent)
    with suppress(OSError):  # other revisions of the case are still in it
        path.parent.rmdir()


def _if_it_is_there(_: Any, __: str, found: tuple[type[BaseException], BaseException, Any]) -> None:
    """Two may remove the same folder at once; what the other one took is gone as wanted."""
    if not isinstance(found[1], FileNotFoundError):
        raise found[1]


def _remove_objects(folder: str) -> None:
    storage = scans()
    if (remove_all := getattr(storage, "remove_all", None)) is not None:  # a bucket holds more than it lists
        remove_all(folder)
        return
    folders, files = storage.listdir(folder)
    for name in files:
        storage.delete(f"{folder}/{name}")
    for name in folders:
        _remove_objects(f"{folder}/{name}")
