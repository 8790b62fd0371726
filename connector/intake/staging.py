"""One download, streamed into a staging file: hashed, bounded, fsynced, checked, before it may count as the case's zip."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connector.itero import Asset, Download
from connector.itero.errors import BadAnswer, Truncated
from connector.orders import store
from connector.orders.models import Revision, Wants
from connector.pairing.access import Access
from connector.scans import LIMITS, ArchiveRejected, check_archive

BUFFER = 1 << 20
RENEW_EVERY = 20.0


@dataclass(frozen=True)
class Staged:
    """A complete zip in staging: verified, fsynced, not yet renamed."""

    path: Path
    sha256: str
    size: int


def stage(access: Access, revision: Revision, keep_lease: Callable[[], None]) -> Staged:
    """Fetch the revision's zip. Errors: IteroError, ArchiveRejected, OSError, LeaseLost."""
    part = store.staging(revision.pk) / f"{revision.lease_token}.part"
    asset = Asset.FULL if revision.wants == Wants.FULL else Asset.THUMBNAILS
    with access.client.download_order(
        access.endpoints, access_token=access.access_token, order_id=revision.order.order_id, asset=asset
    ) as download:
        digest, size = _stream(download, part, keep_lease)
    check_archive(part)
    return Staged(part, digest, size)


def _stream(download: Download, part: Path, keep_lease: Callable[[], None]) -> tuple[str, int]:
    digest, size, renewed = hashlib.sha256(), 0, time.monotonic()
    buffer = memoryview(bytearray(BUFFER))
    with part.open("wb", buffering=0) as file:
        part.chmod(0o600)
        while count := download.readinto(buffer):
            size += count
            if size > LIMITS.file_size:
                raise BadAnswer("larger than the limit")
            digest.update(buffer[:count])
            file.write(buffer[:count])
            if time.monotonic() - renewed > RENEW_EVERY:
                keep_lease()
                renewed = time.monotonic()
        if download.size is not None and size != download.size:
            raise Truncated("length")
        os.fsync(file.fileno())
    store.sync_folder(part.parent)
    return digest.hexdigest(), size


def adopt(revision: Revision) -> Staged | None:
    """A complete zip that a killed worker left behind: it may be the only copy in the world, so it is taken, not
    fetched again. It may lie in staging, or already under its final name. Pictures are never adopted: they are cheap."""
    if revision.wants != Wants.FULL:
        return None
    final = store.local_path(store.archive_name(revision.lab_id, revision.order_id, revision.pk))
    candidates = [final] if final is not None and final.exists() else []
    candidates += sorted(store.staging(revision.pk).glob("*.part"))
    for path in candidates:
        try:
            check_archive(path)
        except (ArchiveRejected, OSError):
            continue
        size = path.stat().st_size
        if revision.expected_size not in (None, size):
            continue  # Align announced another size: perhaps the pictures' zip, perhaps an older revision's
        return Staged(path, _sha256(path), size)
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        os.fsync(file.fileno())
    return digest.hexdigest()


def clear(revision: Revision) -> None:
    """Remove staging leftovers; only ever called once the revision is stored, or for pictures."""
    folder = store.staging(revision.pk)
    for leftover in folder.iterdir():
        leftover.unlink()
    folder.rmdir()
