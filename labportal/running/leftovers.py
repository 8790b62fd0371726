"""Task processes that survived a kill -9 of their worker: found by the note it left, and ended before a new start.

A killed `qcluster` parent leaves its children as orphans (measured), which would go on working without time-outs.
"""

import json
import os
import signal
from contextlib import suppress
from pathlib import Path

from labportal.env import DATA_DIR


def _note() -> Path:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    return DATA_DIR / f"worker-{os.uname().nodename}.json"


def remember(groups: list[int]) -> None:
    """Note which process groups this worker runs."""
    _note().write_text(json.dumps({"worker": os.getpid(), "groups": groups}))


def end_leftovers() -> None:
    """Kill the groups of a worker that is dead; a worker that lives is left alone (two may run, leases part them)."""
    try:
        note = json.loads(_note().read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return
    if _is(note["worker"], "worker"):
        return
    for group in note["groups"]:
        if any(_is(pid, "qcluster") for pid in _members(group)):
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def _members(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getpgid(int(entry.name)) == group:
                    found.append(int(entry.name))
            except ProcessLookupError:
                continue
    return found


def _is(pid: int, word: str) -> bool:
    """Whether that process is ours: a number may have been given to another program since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return b"manage.py" in b" ".join(command) and word.encode() in command
