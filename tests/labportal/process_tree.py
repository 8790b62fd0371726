"""Which processes a worker consists of, as the kernel tells it."""

import time
from contextlib import suppress
from pathlib import Path

# Of one cluster, in the order of their numbers, with the one that was started.
KINDS = ("main", "sentinel", "first worker", "second worker", "pusher", "monitor")


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid:
                found.append(int(entry.name))
    return sorted(found)


def tree_of(pid: int) -> list[int]:
    return [pid, *(below for child in children_of(pid) for below in tree_of(child))]


def is_running(pid: int) -> bool:
    """Whether it still executes; a dead child that nobody has waited for yet does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in {"Z", "X"}
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
