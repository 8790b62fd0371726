"""Signs of life of this machine's task processes, as small files: which are busy, and when a cluster last answered.

Files, not rows: a task's start and end must cost nothing, and a ping counts only if this machine's cluster answered it.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labportal.env import DATA_DIR

RUN_DIR = DATA_DIR / "run"


def _cluster() -> str:
    return os.environ.get("Q_CLUSTER_NAME", "portal")


def _mark(cluster: str, pid: int) -> Path:
    return RUN_DIR / f"busy-{cluster}-{pid}"


@contextmanager
def busy() -> Iterator[None]:
    """Mark this process as working on a task; a killed one leaves its mark, which `busy_workers` sees through."""
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    mark = _mark(_cluster(), os.getpid())
    mark.touch()
    try:
        yield
    finally:
        mark.unlink(missing_ok=True)


def busy_workers(cluster: str, *, longest: float) -> int:
    """How many of a cluster's processes are working, none of them for more than `longest` seconds."""
    count = 0
    for mark in RUN_DIR.glob(f"busy-{cluster}-*"):
        pid = int(mark.name.rsplit("-", 1)[1])
        try:
            young = time.time() - mark.stat().st_mtime < longest
        except FileNotFoundError:
            continue
        if young and Path(f"/proc/{pid}").exists():
            count += 1
        else:
            mark.unlink(missing_ok=True)
    return count


def forget_busy(cluster: str) -> None:
    """Its processes have ended. In a new container other ones have their numbers, and would seem to be at work."""
    for mark in RUN_DIR.glob(f"busy-{cluster}-*"):
        mark.unlink(missing_ok=True)


def answer(cluster: str) -> None:
    """The ping task: end to end through pusher, worker and database."""
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    (RUN_DIR / f"answered-{cluster}").touch()


def answered_at(cluster: str) -> float:
    """When this machine's cluster last answered a ping (seconds since the epoch; 0 = never)."""
    try:
        return (RUN_DIR / f"answered-{cluster}").stat().st_mtime
    except FileNotFoundError:
        return 0.0
