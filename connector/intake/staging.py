"""One download in a staging file: hashed, bounded, fsynced, checked, before it may count as the case's zip."""

import hashlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from connector.intake import leases, resume
from connector.intake.leases import renew, renewing
from connector.itero import Asset, Download
from connector.itero.errors import BadAnswer, Truncated
from connector.orders import store
from connector.orders.models import Revision, Wants
from connector.pairing.access import Access
from connector.scans.checking import CheckFailed, check_in_child
from connector.scans.limits import LIMITS
from connector.scans.rejection import ArchiveRejected
from labportal.faults import fault

BUFFER = 1 << 20
WHOLE = "whole-"  # begins the name of a copy that got it after a good fsync


@dataclass(frozen=True)
class Staged:
    """A complete zip in staging: verified, fsynced, not yet renamed."""

    path: Path
    sha256: str
    size: int


def stage(access: Access, revision: Revision) -> Staged:
    """Fetch the revision's zip. Errors: IteroError, ArchiveRejected, CheckFailed, OSError, LeaseLost."""
    part = store.staging(revision.pk) / f"{revision.lease_token}.{revision.wants}.part"
    asset = Asset.FULL if revision.wants == Wants.FULL else Asset.THUMBNAILS
    begun = resume.begin(part)
    renew(revision, size=begun.size)
    with access.client.download_order(
        access.endpoints,
        access_token=access.access_token,
        order_id=revision.order.order_id,
        asset=asset,
        offset=begun.size,
        etag=begun.etag,
    ) as download:
        fault("download.after_answer")
        digest, size = _stream(download, part, begun, revision)
    resume.drop_older(part)
    fault("download.after_fsync")
    try:
        _check(revision, part, ahead=size)
    except ArchiveRejected:
        resume.forget(part)
        raise
    fault("download.after_check")
    return Staged(part, digest, size)


def _check(revision: Revision, path: Path, *, ahead: int) -> None:
    """The lease is renewed as long as it takes, and for what comes after it: `ahead` bytes to hash, write or upload."""
    renew(revision, size=ahead)
    check_in_child(path, waiting=renewing(revision, size=ahead))


def _stream(download: Download, part: Path, begun: resume.Begun, revision: Revision) -> tuple[str, int]:
    """Write on behind what is there, or from the beginning when the server began anew."""
    goes_on = download.offset > 0
    if begun.size and not goes_on:
        resume.set_aside(part)
    digest, size = (begun.digest, begun.size) if goes_on else (hashlib.sha256(), 0)
    renewed = time.monotonic()
    buffer = memoryview(bytearray(BUFFER))
    with part.open("ab" if goes_on else "wb", buffering=0) as file:
        part.chmod(0o600)
        resume.remember(part, download.etag)
        while count := _read(download, buffer, got_on=goes_on and size > begun.size):
            size += count
            if size > LIMITS.file_size:
                raise BadAnswer("larger than the limit")
            digest.update(buffer[:count])
            _write_all(file.fileno(), buffer[:count])
            fault("download.after_piece")
            if time.monotonic() - renewed > leases.RENEW_EVERY:
                renew(revision)
                renewed = time.monotonic()
        if download.size is not None and size != download.size:
            raise Truncated("length")
        fault("download.before_fsync")
        os.fsync(file.fileno())
    store.sync_folder(part.parent)
    return digest.hexdigest(), size


def _read(download: Download, buffer: memoryview, *, got_on: bool) -> int:
    try:
        return download.readinto(buffer)
    except Truncated as error:
        error.got_on = got_on
        raise


def _write_all(handle: int, piece: memoryview) -> None:
    """An unbuffered write may take only a part, on a disk that is nearly full; the next one then says why."""
    while piece:
        piece = piece[os.write(handle, piece) :]


def adopt(revision: Revision, *, of_any_size: bool = False) -> Staged | None:
    """A complete zip that a killed worker left behind: it may be the only copy in the world, so it is taken, not
    fetched again. It may lie in staging, or already under its final name. Pictures are never adopted: they are cheap.

    One whose size is not the announced one may be of another appearance: it is taken only `of_any_size`, when Align
    gives nothing out any more. One that could not be checked is not fetched again either. Errors: LeaseLost,
    CheckFailed."""
    if revision.wants != Wants.FULL:
        return None
    unchecked: CheckFailed | None = None
    for path, size in _complete(revision, of_any_size=of_any_size):
        try:
            _check(revision, path, ahead=2 * size)
        except CheckFailed as error:
            unchecked = error
        except (ArchiveRejected, OSError):
            continue
        else:
            return Staged(path, _sha256(path), size) if _is_durable(path) else _copy_of(path, size)
    if unchecked:
        raise unchecked
    return None


def lies_here(revision: Revision) -> bool:
    """Whether a zip of the announced size waits for `adopt`, so that no room is needed to fetch it."""
    return revision.wants == Wants.FULL and bool(_complete(revision))


def _complete(revision: Revision, *, of_any_size: bool = False) -> list[tuple[Path, int]]:
    """Files that may be the revision's zip, and their sizes; the durable ones first."""
    final = store.local_path(store.archive_name(revision.lab_id, revision.order_id, revision.pk))
    found = [final] if final is not None else []
    parts = store.staging_folder(revision.pk).glob(f"*.{Wants.FULL}.part")
    found += sorted(parts, key=lambda path: (not _is_durable(path), path))
    sized = [(path, _size(path)) for path in found]
    wanted = None if of_any_size else revision.expected_size
    return [(path, size) for path, size in sized if size is not None and wanted in (None, size)]


def _size(path: Path) -> int | None:
    """None when another worker took it away just now."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _is_durable(path: Path) -> bool:
    """A final name, and a copy's, was given after a good fsync only."""
    return path.suffix != ".part" or path.name.startswith(WHOLE)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_of(path: Path, size: int) -> Staged:
    """A file that was never fsynced, or whose fsync failed, can't be made durable by another fsync: the kernel forgets
    which pages it could not write. Its bytes, written anew, can. Then the file itself goes, so that a store which is
    away for a night does not fill the disk with copies. Of two workers that copy at once each removes the file alone,
    never the other's copy."""
    for begun in path.parent.glob("*.copy"):  # of a worker that was killed meanwhile
        begun.unlink(missing_ok=True)
    copy, digest = path.with_name(f"{uuid4()}.copy"), hashlib.sha256()
    whole = path.with_name(f"{WHOLE}{copy.stem}.{Wants.FULL}.part")
    try:
        with path.open("rb") as source, copy.open("xb", buffering=0) as target:
            copy.chmod(0o600)
            while piece := source.read(BUFFER):
                digest.update(piece)
                _write_all(target.fileno(), memoryview(piece))
            os.fsync(target.fileno())
        copy.rename(whole)
    finally:
        copy.unlink(missing_ok=True)
    store.sync_folder(whole.parent)
    resume.drop(path)
    return Staged(whole, digest.hexdigest(), size)


def clear(revision: Revision) -> None:
    """Remove the revision's staging folder; only ever called by the one who reads its files, once it is stored, or when
    it is SUPERSEDED: then nobody fetches or stores it any more."""
    shutil.rmtree(store.staging_folder(revision.pk), ignore_errors=True)
