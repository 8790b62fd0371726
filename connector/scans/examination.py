"""Examines a zip in a child process of its own, so that a hostile file can harm nothing but that child."""

from pathlib import Path

from connector.scans.child import PATIENTLY, Bounds, ChildDied, Waiting, ask_child
from connector.scans.examination_record import Examination
from connector.scans.limits import GIB
from connector.scans.record_json import BadRecord, read_record

CHILD = "connector.scans.examine_child"
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


def examine(
    path: Path,
    out_dir: Path,
    *,
    waiting: Waiting = PATIENTLY,
    time_limit: int = 120,
    memory_limit: int = 2 * GIB,
) -> Examination:
    """Read metadata, measure meshes, write previews and pictures into `out_dir` (seconds, bytes of address space).

    Broken members become `problems`. Raises ExaminationFailed when the child dies, ArchiveRejected when the zip
    itself does not pass the guard, and whatever `waiting` raises.
    """
    bounds = Bounds(cpu=time_limit, clock=time_limit, memory=memory_limit)
    arguments = [str(path.resolve()), str(out_dir.resolve())]
    try:
        examination = read_record(Examination, ask_child(CHILD, arguments, bounds, waiting=waiting))
    except ChildDied as death:
        raise ExaminationFailed(death.code) from None
    except BadRecord:
        raise ExaminationFailed("bad_answer") from None
    _check_outputs(examination, out_dir)
    return examination


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
