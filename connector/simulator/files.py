"""The zips of the cases: built outside every lock, kept on disk, rebuilt when missing."""

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connector.simulator.cases import CaseSpec, broken_zip, build_full_zip, build_thumbnail_zip

KEPT = 200  # zips on disk; older ones are rebuilt from their recipe when somebody asks


@dataclass(frozen=True)
class Stored:
    """A zip on disk."""

    path: Path
    sha256: str
    size: int


class Cabinet:
    """The zips by (seed, revision), plus a digest of the rest of the recipe."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._lock = threading.Lock()
        self._building: dict[str, threading.Lock] = {}

    def store(self, spec: CaseSpec, asset: str, kind: str) -> Stored:
        """The finished zip with its SHA-256; `asset` is full or thumbnails, `kind` normal or a way to be broken."""
        path = self._ready(spec, asset, kind)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Stored(path, digest, path.stat().st_size)

    def open(self, spec: CaseSpec, asset: str, kind: str) -> BinaryIO:
        """The finished zip, open for reading."""
        return self._ready(spec, asset, kind).open("rb")

    def _ready(self, spec: CaseSpec, asset: str, kind: str) -> Path:
        kind = kind if asset == "full" and spec.revision == 1 else "normal"
        recipe = hashlib.sha256(f"{spec!r}{kind}".encode()).hexdigest()[:16]
        name = f"{spec.seed}-r{spec.revision}-{asset}-{recipe}.zip"
        with self._lock:
            lock = self._building.setdefault(name, threading.Lock())
        path = self._folder / name
        with lock:
            if not path.exists():
                self._build(spec, asset, kind, path)
        return path

    def _build(self, spec: CaseSpec, asset: str, kind: str, path: Path) -> None:
        part = path.with_name(path.name + ".part")
        if kind != "normal":
            broken_zip(spec, kind, part)
        elif asset == "full":
            build_full_zip(spec, part)
        else:
            build_thumbnail_zip(spec, part)
        part.replace(path)
        self._forget_old(path)

    def _forget_old(self, newest: Path) -> None:
        zips = sorted(self._folder.glob("*.zip"), key=_age)
        for path in zips[:-KEPT]:
            if path != newest:
                path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another thread has just removed it
        return 0.0
