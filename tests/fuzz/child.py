"""A child that examines many mutants: `python -m tests.fuzz.child SEED FIRST LAST FOLDER [CONTROL]`, a JSON line each.

The limits are those of the production child; only the CPU limit is a timer that starts again with each mutant.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from connector.scans import examiner, preview
from connector.scans.in_child import limit_this_process
from connector.scans.limits import GIB
from connector.scans.rejection import ArchiveRejected

CPU_SECONDS, CONTROL_SECONDS = 10.0, 2.0
TRIANGLES = 40
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Audit events that change the disk, begin a program or reach out.
CHANGES = (
    "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "os.utime", "shutil.", "tempfile.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pty.",
    "socket.connect", "socket.bind", "urllib.", "ctypes.",
)  # fmt: skip


class Watch:
    """Notes every write that is not a new file right in the output folder, and everything else that reaches out."""

    def __init__(self, out_dir: Path) -> None:
        self.out_dir, self.on, self.seen = str(out_dir), False, list[str]()

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event == "open":
            path, mode, flags = args
            writes = any(c in str(mode or "") for c in "wax+") or (isinstance(flags, int) and flags & WRITING)
            if writes and os.path.dirname(os.path.abspath(os.fsdecode(path))) != self.out_dir:  # noqa: PTH100, PTH120 - Path would open nothing, but is slow here
                self.seen.append(event)
        elif event.startswith(CHANGES):
            self.seen.append(event)


def main(arguments: list[str]) -> int:
    """Examine mutants FIRST to LAST - 1; the parent reads how far we came when we die."""
    seed, first, last, folder = int(arguments[0]), int(arguments[1]), int(arguments[2]), Path(arguments[3])
    # Imported before the limits: they hold for the files, not for what the tests bring along.
    from tests.fuzz import controls, mutants, oracle

    control = arguments[4] if len(arguments) > 4 else ""
    if control:
        controls.CONTROLS[control][0]()
    out_dir, path = folder / "out", folder / "case.zip"
    watch = Watch(out_dir)
    sys.addaudithook(watch.hook)
    limit_this_process(24 * 3600, 2 * GIB)
    for number in range(first, last):
        thin(number)
        mutant = mutants.mutant(seed, number)
        path.write_bytes(mutant.data)
        out_dir.mkdir()
        _tell({"begun": number, "family": mutant.family})
        line = _examined(path, out_dir, watch, oracle, CONTROL_SECONDS if control else CPU_SECONDS)
        _tell({"number": number, "family": mutant.family, **line})
        shutil.rmtree(out_dir)
        if line["trouble"] and control:
            break  # a control has reported
    return 0


def _tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def thin(number: int) -> None:
    """Small meshes are shown as they are; each second ten is thinned nevertheless, since that library is C++."""
    most = TRIANGLES if number // 10 % 2 else preview.MOST_TRIANGLES
    examiner.thinned = partial(preview.thinned, most=most)  # type: ignore[attr-defined]  # a name it imports


def _examined(path: Path, out_dir: Path, watch: Watch, oracle: Any, seconds: float) -> dict[str, Any]:
    watch.seen.clear()
    trouble, verdict = "", ""
    before = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, seconds)  # its signal ends this process: no code of ours can swallow it
    watch.on = True
    try:
        found = examiner.examine_here(path, out_dir)
        codes = sorted({problem.code for problem in found.problems} - {"metadata_missing", "file_missing"})
        verdict = "read" if not codes else f"read, {codes[0]}"
        # None of the mutants is that large: memory ended, and the reader says it in these words.
        trouble = "memory" if "mesh_too_large" in codes else ""
    except ArchiveRejected as refusal:
        found, verdict = None, f"refused, {refusal.code}"
    except MemoryError:
        found, trouble = None, "memory"
    except Exception as error:
        found, trouble, verdict = None, "crash", type(error).__name__
    watch.on = False
    signal.setitimer(signal.ITIMER_PROF, 0)
    cpu = time.process_time() - before
    if watch.seen:
        trouble, verdict = "outside", watch.seen[0]
    if found is not None and not trouble:
        trouble, verdict = _judged(path, out_dir, found, oracle, verdict)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"verdict": verdict, "trouble": trouble, "cpu": round(cpu, 4), "peak": peak}


def _judged(path: Path, out_dir: Path, found: Any, oracle: Any, verdict: str) -> tuple[str, str]:
    try:
        oracle.judge_zip(path)
        oracle.judge_examination(found, out_dir)
    except Exception as error:
        return "broken", f"{type(error).__name__}: {error}"
    return "", verdict


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
