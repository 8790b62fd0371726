"""A consistent copy of the portal: first the database, then the files, which are written once and never changed.

So every file that a row of the dump names is copied, if it is there when its turn comes. The secrets are left out on
purpose: whoever finds the folder has the labs' scans, but no sign-in at Align.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages

from labportal.audit import anchors
from labportal.audit.services import record
from labportal.keeping.manifest import ANCHORS, DUMP, SCANS, Kept, Manifest, copy, measure
from labportal.keeping.programs import KeepingFailed, backup_connection, program, said, way_to

# Sessions and the task queue end with the database that they were made in; a restored one begins in safe mode.
LEFT_OUT = ("running_safemode", "labportal_cache", "django_q_ormq", "django_session", "usersessions_usersession")


def back_up(folder: Path, *, link: bool = False) -> Manifest:
    """Write a backup into a new or empty folder. Errors: KeepingFailed; then the folder has no manifest."""
    connection = backup_connection()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        if any(folder.iterdir()):
            raise KeepingFailed(f"{folder} is not empty. Name a new folder for each backup.")
        kept = _anchors(folder)  # first: one that is younger than the dump would accuse it
        _dump(connection, folder / DUMP)
        files = {DUMP: measure(folder / DUMP)} | kept | _scans(folder, link=link)
        manifest = Manifest(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            role_prefix=settings.DATABASE_ROLE_PREFIX,
            files=files,
            elsewhere={} if scan_folder() else _stored_elsewhere(connection),
        )
        manifest.write(folder)
        record("backup.made", lab_id=None, files=len(files))
    except OSError as error:
        raise KeepingFailed(f"The backup is incomplete: {error.strerror or error}. Make a new one.") from error
    return manifest


def scan_folder() -> Path | None:
    """Where the scan store's files lie; None when it is no file system (S3)."""
    store = storages["scans"]
    return Path(store.location) if isinstance(store, FileSystemStorage) else None


def _dump(connection: Mapping[str, Any], target: Path) -> None:
    target.touch(mode=0o600)
    command = [program("pg_dump"), "--format=custom", "--no-password", f"--file={target}"]
    command += [f"--exclude-table-data=public.{table}" for table in LEFT_OUT]
    done = subprocess.run(command, env=way_to(connection), capture_output=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise KeepingFailed(f"pg_dump failed, the backup is incomplete: {said(done.stderr)}")


def _scans(folder: Path, *, link: bool) -> dict[str, Kept]:
    """Everything that is stored for the labs; not staging, whose downloads are fetched again.

    The portal works meanwhile, and what it takes away is left out, although the dump, which is older, has its row
    still: a case whose time was over is removed again after a restore (`erase_again`), and a damaged zip that was set
    aside is named by `verify` and fetched again (`verify --repair`)."""
    root = scan_folder()
    if root is None:
        return {}
    names = ((path, f"{SCANS}{path.relative_to(root).as_posix()}") for path in _stored(root / "labs"))
    found = ((name, _if_there(path, folder / name, link=link)) for path, name in names)
    return {name: kept for name, kept in found if kept is not None}


def _stored(root: Path) -> Iterator[Path]:
    for folder, inner, names in os.walk(root, onerror=_unless_gone):
        inner.sort()
        paths = (Path(folder) / name for name in sorted(names))
        yield from (path for path in paths if path.is_file() and not path.is_symlink())


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _if_there(path: Path, target: Path, *, link: bool) -> Kept | None:
    try:
        return copy(path, target, link=link)
    except FileNotFoundError:
        if path.exists():
            raise
        return None


def _anchors(folder: Path) -> dict[str, Kept]:
    """What the audit of a lost machine is checked against."""
    found = sorted(anchors.folder().glob("*.json"))
    return {f"{ANCHORS}{path.name}": copy(path, folder / ANCHORS / path.name) for path in found}


def _stored_elsewhere(connection: Mapping[str, Any]) -> dict[str, Kept]:
    """The zips that the bucket must hold, as the rows say."""
    query = "SELECT archive, size, sha256 FROM orders_revision WHERE state IN ('stored', 'ready') ORDER BY archive"
    names = {"HOST": "host", "PORT": "port", "NAME": "dbname", "USER": "user", "PASSWORD": "password"}
    way = {to: connection[name] for name, to in names.items() if connection[name]}
    try:
        with psycopg.connect(**way, **connection["OPTIONS"]) as database:
            return {name: Kept(size, sha256) for name, size, sha256 in database.execute(query)}
    except psycopg.Error as error:
        raise KeepingFailed(f"The list of zips could not be read: {type(error).__name__}.") from error
