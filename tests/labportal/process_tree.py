"""Which processes a worker consists of, as the kernel tells it; and one of them killed."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

# Of one cluster, in the order in which django-q starts them. One that is killed alone comes back as the last; so who
# kills each kind in turn begins at the end, and those before it keep their places.
KINDS = ("main", "sentinel", "first worker", "second worker", "monitor", "pusher")
FROM_THE_END = tuple(reversed(range(len(KINDS))))
DEAD = {"Z", "X"}  # ended, and not waited for yet


def children_of(pid: int) -> list[int]:
    """Those that still execute, oldest number first."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(parent) == pid and state not in DEAD:
                found.append(int(entry.name))
    return sorted(found)


def tree_of(pid: int) -> list[int]:
    return [pid, *(below for child in children_of(pid) for below in tree_of(child))]


def is_running(pid: int) -> bool:
    """Whether it still executes; a dead child that nobody has waited for yet does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in DEAD
    except (FileNotFoundError, ProcessLookupError):
        return False


def cluster_main(worker: int, name: str) -> int:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for pid in children_of(worker):
            with suppress(ProcessLookupError, FileNotFoundError):
                found = f"Q_CLUSTER_NAME={name}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()
                if found and len(tree_of(pid)) >= len(KINDS):
                    return pid
        time.sleep(0.2)
    raise AssertionError(f"no complete cluster {name}")


def kill_process(worker: int, name: str, index: int) -> None:
    """The one of that index in KINDS, once its cluster is complete. A complete cluster can end all the same, when the
    supervisor finds that it no longer answers; what has ended by itself in between does not count as killed."""
    while True:
        cluster = tree_of(cluster_main(worker, name))
        with suppress(ProcessLookupError, IndexError):
            os.kill(cluster[index], signal.SIGKILL)
            return
