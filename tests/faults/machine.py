"""The machine under the portal: its database killed and brought back, its disk full, its clock wrong."""

import errno
import os
import random
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connections
from django.utils import timezone

from tests.database import _prepared as prepared

Action = Callable[[], object]


@contextmanager
def durable_commits() -> Iterator[None]:
    """The tests' database may lose commits of its last moments when it is killed; a real one does not."""
    _alter("SET synchronous_commit = on")
    try:
        yield
    finally:
        _alter("RESET synchronous_commit")


def _alter(what: str) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {connections['owner'].settings_dict['NAME']} {what}")
    connections.close_all()


def kill_database(number: int = signal.SIGKILL) -> None:
    """SIGKILL: as the kernel does when memory runs out. SIGQUIT: PostgreSQL's own "immediate"."""
    assert prepared.server is not None
    assert prepared.server.owned
    pid = prepared.server._cluster.running_pid()
    assert pid is not None
    connections.close_all()
    os.kill(pid, number)
    assert prepared.server._process is not None
    prepared.server._process.wait(30)


def bring_database() -> None:
    assert prepared.server is not None
    assert prepared.server.keep_running()


def on_a_disk_of(size: int, action: Action) -> Action:
    """No file of the process may grow beyond `size` bytes, as on a disk that has no more room."""

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        action()

    return full


def with_a_bad_fsync(action: Action, seen: Callable[[int], object]) -> Action:
    """The first fsync of a download fails, as a dying disk's does; `seen` gets the file's inode."""
    real = os.fsync
    failed: list[str] = []

    def fsync(handle: Any) -> None:
        name = str(Path(f"/proc/self/fd/{handle}").readlink())
        if name.endswith(".part") and not failed:
            failed.append(name)
            seen(os.fstat(handle).st_ino)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    def work() -> None:
        os.fsync = fsync  # type: ignore[assignment]  # ours is called with a number only
        action()

    return work


def with_the_clock_wrong_by(hours: float, action: Action) -> Action:
    """The process's clock; the database has its own."""
    real = timezone.now

    def work() -> None:
        timezone.now = lambda: real() + timedelta(hours=hours)
        action()

    return work


def dice(*seed: Any) -> random.Random:
    return random.Random(" ".join(map(str, seed)))
