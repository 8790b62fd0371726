"""Examines a zip in a child process of its own, so that a hostile file can harm nothing but that child."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO

from connector.scans.examination_record import Examination
from connector.scans.limits import GIB
from connector.scans.record_json import BadRecord, read_record
from connector.scans.rejection import ArchiveRejected

LARGEST_ANSWER = 16 * 1024 * 1024
# Exit codes of the child beyond its answer; above what Python and shells use.
EXIT_NO_MEMORY, EXIT_REJECTED = 86, 87
# What Python, C++, OpenBLAS and the loader write when memory ends before our own code can say so.
STARVED = (b"MemoryError", b"bad_alloc", b"allocat", b"failed to map segment")
PROJECT = Path(__file__).resolve().parents[2]
FAILURE_WORDS = {
    "time": "Looking into the zip took too long.",
    "out_of_memory": "Looking into the zip took more memory than a scan should need.",
    "killed": "Looking into the zip was stopped by the system.",
    "bad_answer": "Looking into the zip ended without a usable result.",
}


class ExaminationFailed(Exception):  # says what happened, as the caller reads it
    """The child died; `code` is `time`, `out_of_memory`, `killed` or `bad_answer`. Trying once more is sensible."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def __reduce__(self) -> tuple[type["ExaminationFailed"], tuple[str]]:
        return type(self), (self.code,)

    @property
    def words(self) -> str:
        """The sentence for a lab technician."""
        return FAILURE_WORDS[self.code]


def examine(path: Path, out_dir: Path, *, time_limit: int = 120, memory_limit: int = 2 * GIB) -> Examination:
    """Read metadata, measure meshes, write previews and pictures into `out_dir` (seconds, bytes of address space).

    Broken members become `problems`. Raises ExaminationFailed when the child dies and ArchiveRejected when the zip
    itself does not pass the guard.
    """
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        code = _run(path, out_dir, time_limit, memory_limit, answer, errors)
        if code not in (0, EXIT_REJECTED):
            raise ExaminationFailed(_reason(code, errors))
        document = _document(answer)
    if code == EXIT_REJECTED:
        raise _rejection(document)
    try:
        examination = read_record(Examination, document)
    except BadRecord:
        raise ExaminationFailed("bad_answer") from None
    _check_outputs(examination, out_dir)
    return examination


def _run(path: Path, out_dir: Path, seconds: int, memory: int, answer: BinaryIO, errors: BinaryIO) -> int:
    """The child's exit code, negative for a signal, after at most `seconds`."""
    child = [sys.executable, "-s", "-m", "connector.scans.examine_child"]
    arguments = [str(path.resolve()), str(out_dir.resolve()), str(seconds), str(memory)]
    # Nothing of our environment goes along: it holds the database's and the vendor's secrets.
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(  # noqa: S603  # our own module, arguments as a list
            child + arguments,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=errors,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ExaminationFailed("time") from None
    return done.returncode


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
        raise ExaminationFailed("bad_answer") from None


def _rejection(document: object) -> Exception:
    match document:
        case {"rejected": str(code), "member": str(member)}:
            return ArchiveRejected(code, member)
    return ExaminationFailed("bad_answer")


def _check_outputs(examination: Examination, out_dir: Path) -> None:
    """The child names files of its own making only: content hash and a known ending, present in the folder."""
    for file in examination.files:
        for name, endings in (
            (file.preview, (".ply",)),
            (file.thumbnail, (".jpg",)),
            (file.thumbnail_small, ("_small.jpg",)),
        ):
            if name is None:
                continue
            if name not in {file.sha256 + ending for ending in endings} or not (out_dir / name).is_file():
                raise ExaminationFailed("bad_answer")


def limit_this_process(seconds: int, memory: int) -> None:
    """Called by the child before it reads anything: address space, CPU seconds, file size, no core file."""
    for kind, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 256 * 1024 * 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (wanted, wanted))
