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
    final = store.local_path(store.archive_name(revision.lab_id, revision.order_id, revision.pk))
    candidates = [final] if final is not None and final.exists() else []
    candidates += sorted(store.staging(revision.pk).glob(f"*.{Wants.FULL}.part"))
    unchecked: CheckFailed | None = None
    for path in candidates:
        size = path.stat().st_size
        if size != revision.expected_size and revision.expected_size is not None and not of_any_size:
            continue
        try:
            _check(revision, path, ahead=2 * size)
        except CheckFailed as error:
            unchecked = error
        except (ArchiveRejected, OSError):
            continue
        else:
            return Staged(path, _sha256(path), size) if path == final else _copy_of(path, size)
    if unchecked:
        raise unchecked
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy_of(path: Path, size: int) -> Staged:
    """A file that was never fsynced, or whose fsync failed, can't be made durable by another fsync: the kernel forgets
    which pages it could not write. Its bytes, written anew, can. A final name was given after a good fsync only."""
    copy, digest = path.with_name(f"copy-{uuid4()}.{Wants.FULL}.part"), hashlib.sha256()
    with path.open("rb") as source, copy.open("xb", buffering=0) as target:
        copy.chmod(0o600)
        while piece := source.read(BUFFER):
            digest.update(piece)
            _write_all(target.fileno(), memoryview(piece))
        os.fsync(target.fileno())
    store.sync_folder(copy.parent)
    return Staged(copy, digest.hexdigest(), size)


def clear(revision: Revision) -> None:
    """Remove the revision's staging folder; only ever called by the one who reads its files, once it is stored."""
    shutil.rmtree(store.staging(revision.pk), ignore_errors=True)
