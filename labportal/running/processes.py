"""Child processes that end with their parent: started in groups of their own, stopped in order, never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import FrameType

_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Linux: even when the parent is killed with -9, the child gets SIGTERM."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Stopped(BaseException):
    """Ctrl-C or SIGTERM arrived. No Exception: a library that bears all of those would bear this one, too."""


_arrived: list[int] = []


def raise_on_signals() -> None:
    """Turn SIGINT and SIGTERM into Stopped, once: while stopping, further signals are ignored."""

    def stop(signum: int, frame: FrameType | None) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        _arrived.append(signum)
        raise Stopped

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, stop)


def stop_if_told() -> None:
    """Raise what was lost: Python drops an exception that comes while it clears an object away. For each round of a
    command's loop, which would otherwise never end, and ignore all further signals."""
    if _arrived:
        raise Stopped


@dataclass
class Processes:
    """The children of a command, by name."""

    environment: dict[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(
        self, name: str, command: Sequence[str], *, stdout: int | None = None, **env: str
    ) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env={**os.environ, **self.environment, **env},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self.running[name] = process
        return process

    def ended(self) -> str | None:
        """The name of a child that has ended by itself."""
        return next((name for name, process in self.running.items() if process.poll() is not None), None)

    def stop(self, name: str, *, patience: float = 15.0) -> None:
        """SIGTERM, then SIGKILL to the whole group when the patience (seconds) is over; leftovers never survive."""
        process = self.running.pop(name, None)
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def stop_all(self) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)


def wait_until(ready: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Poll until ready. Errors: TimeoutError naming `what`."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come up within {seconds:.0f} s")
        time.sleep(0.1)


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
