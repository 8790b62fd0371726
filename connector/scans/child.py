"""Work on a file from outside, in a child process of its own: a hostile file can harm nothing but that child."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connector.scans.in_child import EXIT_NO_MEMORY, EXIT_REJECTED
from connector.scans.rejection import WORDS, ArchiveRejected

LARGEST_ANSWER = 16 * 1024 * 1024
PROJECT = Path(__file__).resolve().parents[2]
# What Python, C++, OpenBLAS and the loader write when memory ends before our own code can say so.
STARVED = (b"MemoryError", b"bad_alloc", b"allocat", b"failed to map segment")
# Nothing of our environment goes along: it holds the database's and the vendor's secrets.
ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Bounds:
    """What the child may use: seconds of CPU, seconds by the clock, bytes of address space."""

    cpu: int
    clock: float
    memory: int


class ChildDied(Exception):  # says what happened, as the caller reads it
    """The child gave no answer; `code` is `time`, `out_of_memory`, `killed` or `bad_answer`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __reduce__(self) -> tuple[type["ChildDied"], tuple[str]]:
        return type(self), (self.code,)


@dataclass(frozen=True)
class Waiting:
    """What the parent does meanwhile, each `every` seconds; what it raises ends the child."""

    every: float
    do: Callable[[], object]


PATIENTLY = Waiting(3600, lambda: None)


def ask_child(
    module: str, arguments: list[str], bounds: Bounds, *, waiting: Waiting = PATIENTLY, libraries: bool = True
) -> object:
    """Run `python -m module CPU MEMORY ARGUMENTS` and give its JSON answer; without `libraries` it has the standard
    library alone, and starts in a fraction of the time.

    Errors: ChildDied; ArchiveRejected, when that is the child's answer; whatever `waiting` raises.
    """
    flags = ["-s"] if libraries else ["-s", "-S"]
    child = [sys.executable, *flags, "-m", module, str(bounds.cpu), str(bounds.memory), *arguments]
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        code = _run(child, bounds.clock, waiting, answer, errors)
        if code not in (0, EXIT_REJECTED):
            raise ChildDied(_reason(code, errors))
        document = _document(answer)
    if code == EXIT_REJECTED:
        raise _rejection(document)
    return document


def _run(command: list[str], seconds: float, waiting: Waiting, answer: BinaryIO, errors: BinaryIO) -> int:
    """The child's exit code, negative for a signal. However this ends, the child has ended."""
    with subprocess.Popen(  # noqa: S603  # our own module, arguments as a list
        command, cwd=PROJECT, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=answer, stderr=errors
    ) as child:
        try:
            return _ended(child, time.monotonic() + seconds, waiting)
        finally:
            child.kill()


def _ended(child: "subprocess.Popen[bytes]", end: float, waiting: Waiting) -> int:
    while (left := end - time.monotonic()) > 0:
        try:
            return child.wait(min(left, waiting.every))
        except subprocess.TimeoutExpired:
            waiting.do()
    raise ChildDied("time")


def _reason(code: int, errors: BinaryIO) -> str:
    if code == -signal.SIGXCPU:
        return "time"
    # The text may hold names out of the zip, so it is looked at and thrown away, never logged.
    errors.seek(max(0, errors.seek(0, os.SEEK_END) - 8192))
    text = errors.read()
    starved = code == EXIT_NO_MEMORY or any(sign in text for sign in STARVED)
    return "out_of_memory" if starved else "killed"


def _document(answer: BinaryIO) -> object:
    answer.seek(0)
    try:
        return json.loads(answer.read(LARGEST_ANSWER))
    except (ValueError, RecursionError):
        raise ChildDied("bad_answer") from None


def _rejection(document: object) -> Exception:
    match document:
        case {"rejected": str(code), "member": str(member)} if code in WORDS:
            return ArchiveRejected(code, member)
    return ChildDied("bad_answer")
