"""The zip guard in a child process: no worker parses a byte of a zip that was not checked."""

import errno
import os
from pathlib import Path

from connector.scans.child import PATIENTLY, Bounds, ChildDied, Waiting, ask_child
from connector.scans.limits import LIMITS, MIB

CHILD = "connector.scans.check_child"
# Five times what the guard takes for the largest zip, Python included (docs/decisions/0030).
MEMORY = 128 * MIB
AT_LEAST = 20  # seconds
BYTES_A_SECOND = 10_000_000  # unpacked and hashed, even on a slow machine
# A machine that does four other things at once.
SHARED = 4


class CheckFailed(Exception):  # says what happened, as the caller reads it
    """The zip could not be checked, since the child died: `code` is `check_time`, `check_out_of_memory`,
    `check_killed` or `check_bad_answer`. Neither good nor refused; the file stays, and is checked again."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __reduce__(self) -> tuple[type["CheckFailed"], tuple[str]]:
        return type(self), (self.code,)


def bounds_for(size: int) -> Bounds:
    """What the check of a zip of `size` bytes may take: time for all that it may unpack to."""
    inflated = min(LIMITS.inflated, max(LIMITS.free_in_all, size * LIMITS.ratio))
    cpu = AT_LEAST + inflated // BYTES_A_SECOND
    return Bounds(cpu=cpu, clock=cpu * SHARED, memory=MEMORY)


def check_in_child(path: Path, *, waiting: Waiting = PATIENTLY, bounds: Bounds | None = None) -> None:
    """Check a zip as `archive.check_archive` does.

    Errors: ArchiveRejected; CheckFailed when the child dies; OSError from the disk; whatever `waiting` raises.
    """
    bounds = bounds or bounds_for(path.stat().st_size)
    try:
        match ask_child(CHILD, [str(path.resolve())], bounds, waiting=waiting, libraries=False):
            case {"errno": errno.ENOMEM}:
                raise ChildDied("out_of_memory")
            case {"errno": int(number)}:
                raise OSError(number, os.strerror(number))
            case {**rest} if not rest:
                return
        raise ChildDied("bad_answer")
    except ChildDied as death:
        raise CheckFailed(f"check_{death.code}") from None
