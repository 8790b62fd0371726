"""Taking a broken download up where it ended: Range and If-Range, for vendors that honour them.

Beside a `.part` file lies a `.etag` file with the strong ETag of what is being downloaded; without one a download
begins anew. A new attempt copies the longest earlier one, whose worker may still be alive and owns its own file.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from labportal.faults import fault

CHUNK = 1 << 20


@dataclass
class Begun:
    """How much of the file `part` holds already, its running SHA-256, and the ETag it belongs to ('' = nothing)."""

    digest: Any
    size: int = 0
    etag: str = ""


def begin(part: Path) -> Begun:
    """Copy the longest earlier attempt in the same folder into `part`, which takes the place of all of them; nothing
    begun gives an empty start. `part` itself is there when the same attempt is repeated with a renewed token."""
    begun = Begun(hashlib.sha256())
    earlier = sorted((path.stat().st_size, path) for path in _attempts(part) if _etag_file(path).exists())
    own = part.stat().st_size if part.exists() and _etag_file(part).exists() else 0
    if own and own >= max((size for size, _ in earlier), default=0):
        begun.etag = _etag_file(part).read_text()
        _read_through(part, begun, None)
        return begun
    if not earlier:
        return begun
    _, longest = earlier[-1]
    begun.etag = _etag_file(longest).read_text()
    with part.open("wb") as target:
        part.chmod(0o600)
        _read_through(longest, begun, target)
    remember(part, begun.etag)
    fault("resume.after_copy")
    for _, path in earlier:
        drop(path)
    return begun


def _read_through(path: Path, begun: Begun, target: BinaryIO | None) -> None:
    with path.open("rb") as source:
        while chunk := source.read(CHUNK):
            begun.digest.update(chunk)
            begun.size += len(chunk)
            if target:
                target.write(chunk)


def set_aside(part: Path) -> None:
    """The server begins anew: what was there stays until the new file is complete, for it may be the only copy."""
    part.rename(part.with_name(f"kept-{part.name}"))
    _etag_file(part).unlink(missing_ok=True)


def remember(part: Path, etag: str) -> None:
    """Note which version of the file the part belongs to, before its first byte."""
    if etag:
        _etag_file(part).write_text(etag)


def forget(part: Path) -> None:
    """The next attempt begins anew: what came so far is no good zip."""
    for path in (*_attempts(part), part):
        _etag_file(path).unlink(missing_ok=True)


def drop_older(part: Path) -> None:
    """Earlier attempts go once this one is complete: none of them was, or it would have been adopted."""
    for older in _attempts(part):
        drop(older)


def drop(part: Path) -> None:
    """Another worker may have done it; one that has it open keeps its bytes until it is done."""
    _etag_file(part).unlink(missing_ok=True)
    part.unlink(missing_ok=True)


def _attempts(part: Path) -> list[Path]:
    return [path for path in part.parent.glob(f"*{''.join(part.suffixes)}") if path != part]


def _etag_file(part: Path) -> Path:
    return part.with_suffix(".etag")
