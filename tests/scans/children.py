"""Which children this process has, and how much memory it takes; read from /proc."""

from pathlib import Path


class Children:
    """Those that came since, of any thread; zombies included."""

    def __init__(self) -> None:
        self._before = set(_children())

    def __call__(self) -> list[int]:
        return [pid for pid in _children() if pid not in self._before]


def _children() -> list[int]:
    found = [Path(f"/proc/self/task/{task.name}/children") for task in Path("/proc/self/task").iterdir()]
    return [int(pid) for path in found if path.exists() for pid in path.read_text().split()]


def peak_memory() -> int:
    """The most bytes that this process has had in memory since `forget_peak`."""
    return _status("VmHWM")


def memory() -> int:
    """Bytes that this process has in memory."""
    return _status("VmRSS")


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
