"""What a backup consists of: manifest.json names every file with its size and SHA-256, and is written last."""

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from labportal.keeping.programs import KeepingFailed
from labportal.secret_files import write_private

NAME = "manifest.json"
DUMP = "database.dump"
SCANS = "scans/"
ANCHORS = "anchors/"
FORMAT = 1
PIECE = 1 << 20


@dataclass(frozen=True)
class Kept:
    """One file: `size` in bytes, `sha256` in hex."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """`files` by their path in the backup; `elsewhere` are the zips of a store that is no file system, by name."""

    made_at: str
    role_prefix: str
    files: dict[str, Kept] = field(default_factory=dict)
    elsewhere: dict[str, Kept] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """A folder without it is no backup."""
        write_private(folder / NAME, json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n")


def read(folder: Path) -> Manifest:
    """Errors: KeepingFailed in words."""
    try:
        values: dict[str, Any] = json.loads((folder / NAME).read_text())
        if values.pop("format") != FORMAT:
            raise KeepingFailed(f"{folder / NAME} was written by another release of the portal.")
        files = {_inside(name): Kept(**kept) for name, kept in values.pop("files").items()}
        elsewhere = {name: Kept(**kept) for name, kept in values.pop("elsewhere").items()}
        return Manifest(**values, files=files, elsewhere=elsewhere)
    except FileNotFoundError as error:
        raise KeepingFailed(f"{folder} has no {NAME}: the backup was not finished. Take an older one.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeepingFailed(f"{folder / NAME} is damaged. Take another backup.") from error


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(name)
    return name


def check(folder: Path, manifest: Manifest) -> None:
    """Every file is there as it was written. Errors: KeepingFailed that names the first that is not."""
    for name, kept in manifest.files.items():
        try:
            found = measure(folder / name)
        except OSError as error:
            raise KeepingFailed(f"The backup's file {name} is missing or unreadable. Take another backup.") from error
        if found != kept:
            raise KeepingFailed(f"The backup's file {name} is not as it was written. Take another backup.")


def measure(path: Path) -> Kept:
    """Size and SHA-256, read piece by piece. Errors: OSError."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Kept(file.tell(), digest)


def copy(source: Path, target: Path, *, link: bool = False) -> Kept:
    """Bring one file over, whole or not at all; `link` shares its bytes where both lie on one file system."""
    _closed_folder(target.parent)
    if link:
        try:
            os.link(source, target)
            return measure(target)
        except OSError:
            pass  # another file system, or one without links
    unfinished = target.with_name(f".{target.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with source.open("rb") as file, os.fdopen(os.open(unfinished, flags, 0o600), "wb") as out:
        shutil.copyfileobj(file, out, PIECE)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(target)
    return measure(target)


def _closed_folder(folder: Path) -> None:
    """mkdir's own `parents` would leave those in between open to others."""
    for path in (*reversed(folder.parents), folder):
        path.mkdir(mode=0o700, exist_ok=True)
