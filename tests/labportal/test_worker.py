"""The worker: whatever single process of it is killed, the next task is done, and none is left behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache

from labportal.doorbell import ring
from tests.labportal.process_tree import FROM_THE_END, KINDS, is_running, kill_process, tree_of

ROOT = Path(__file__).resolve().parents[2]


def task_is_done(seconds: float) -> bool:
    """Ring every two seconds, as the tick does, until a task has left its trace: a ring that a killed cluster had
    taken already comes again only after the queue's `retry`."""
    end = time.monotonic() + seconds
    traces: list[str] = []
    while time.monotonic() < end:
        traces.append(f"trace-{time.monotonic_ns()}")
        ring("tests.labportal.worker_tasks.leave_trace", traces[-1])
        wait = time.monotonic() + 2
        while time.monotonic() < wait:
            if cache.get_many(traces):
                return True
            time.sleep(0.2)
    return False


@pytest.fixture
def worker(committed: None, tmp_path: Path) -> Iterator[int]:
    url = "postgresql://{USER}:{PASSWORD}@/{NAME}?host={HOST}&port={PORT}"
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": url.format(**settings.DATABASES["default"]),
        "SECRET_KEY": settings.SECRET_KEY,
        "WORKER_PING_SECONDS": "1",
        "WORKER_STALE_SECONDS": "6",
    }
    (tmp_path / "run").mkdir()
    for pid in (os.getpid(), os.getppid()):  # of a worker before this one, whose numbers others have by now
        (tmp_path / "run" / f"busy-portal-{pid}").touch()
    with (tmp_path / "worker.log").open("w") as log:
        process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT, env=environment, stderr=log)
    yield process.pid
    everyone = tree_of(process.pid)
    process.terminate()
    assert process.wait(120) == 0
    assert [pid for pid in everyone if is_running(pid)] == []


def test_marks_of_an_earlier_worker_make_nobody_seem_busy(worker: int, tmp_path: Path) -> None:
    """Else a cluster that hangs would not be pinged, for as long as its longest task may take."""
    assert task_is_done(60)
    assert list((tmp_path / "run").glob(f"busy-portal-{os.getpid()}")) == []


def test_each_single_process_may_be_killed_and_the_next_task_is_done(worker: int) -> None:
    assert task_is_done(60)
    for index in FROM_THE_END:
        kill_process(worker, "portal", index)
        assert task_is_done(60), f"{KINDS[index]} was killed, and no task came through after it"
