"""The real worker, killed with -9 in the middle of a download, and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.utils import timezone

from connector.intake.leases import LEASE
from connector.orders.models import RevisionState
from labportal.doorbell import ring_tick
from labportal.env import BASE_DIR, read_instance
from tests.align import change
from tests.intake.desk import Desk

ALIGN = ("PROFILE", "OAUTH_BASE", "BASE_URL", "LOGIN_PAGE", "CLIENT_ID", "CLIENT_SECRET")
SECONDS = 60


class Worker:
    """`manage.py worker` on the test's database, scan store and simulator."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self.process = self.start()

    def start(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "manage.py"), "worker"],
                env=os.environ | environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.process

    def kill_all(self) -> None:
        """The machine's power is gone: supervisor, clusters and their workers at once."""
        for pid in [self.process.pid, *self.clusters()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(40)

    def clusters(self) -> list[int]:
        """The qcluster processes of this test: those that carry its log's folder in their environment."""
        return [pid for pid in pids() if mentions(pid, "cmdline", "qcluster") and mentions(pid, "environ", self.mark)]

    @property
    def mark(self) -> str:
        return f"SCANS_DIR={settings.SCANS_DIR}"


def environment() -> dict[str, str]:
    """What the operator sets: Align's values, and here the test's database in place of the portal's."""
    urls = {name: os.environ.get(name) or instance(name) for name in ("DATABASE_URL", "DATABASE_OPERATOR_URL")}
    ours = {name: urlunsplit(urlsplit(url)._replace(path="/test_labportal")) for name, url in urls.items()}
    align = {f"ITERO_{name}": getattr(settings, f"ITERO_{name}") for name in ALIGN}
    return ours | align | {"SCANS_DIR": str(settings.SCANS_DIR), "BASE_URL": settings.BASE_URL, "SIMULATOR": "1"}


def instance(name: str) -> str:
    return str(dict(read_instance())[name])


def pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def mentions(pid: int, file: str, text: str) -> bool:
    try:
        return text.encode() in Path(f"/proc/{pid}/{file}").read_bytes().split(b"\0")
    except OSError:
        return False


def wait_for(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


@pytest.fixture
def worker(desk: Desk, tmp_path: Path) -> Iterator[Worker]:
    change(desk.pairing, next_due=None)
    started = Worker(tmp_path / "worker.log")
    yield started
    started.kill_all()


def begin_a_slow_download(desk: Desk) -> str:
    order_id = desk.arrives()
    desk.align.fault(call="download", bytes_per_second=20_000)
    change(desk.pairing, next_due=timezone.now())
    ring_tick()
    wait_for(lambda: part_size(desk, order_id) > 0, "the download did not begin")
    return order_id


def part_size(desk: Desk, order_id: str) -> int:
    if not [order for order in desk.orders() if order.order_id == order_id]:
        return 0
    folder = Path(settings.SCANS_DIR) / "staging" / str(desk.revision(order_id).pk)
    return sum(part.stat().st_size for part in folder.glob("*.part"))


def test_a_worker_killed_in_mid_download_loses_nothing(desk: Desk, worker: Worker) -> None:
    """Ends with a stop by SIGTERM, after which no process is left."""
    order_id = begin_a_slow_download(desk)
    worker.kill_all()
    killed = desk.revision(order_id)
    assert killed.state == RevisionState.FETCHING
    assert killed.lease_until is not None
    assert killed.lease_until <= timezone.now() + LEASE
    desk.update_revision(order_id, lease_until=timezone.now() - timedelta(seconds=1))  # a minute and a half later
    worker.start()
    wait_for(lambda: desk.revision(order_id).state == RevisionState.READY, "the case did not come in")
    desk.assert_true_to_align(order_id)
    worker.stop()
    assert worker.clusters() == []


def test_a_supervisor_killed_alone_leaves_no_cluster_behind(desk: Desk, worker: Worker) -> None:
    order_id = begin_a_slow_download(desk)
    old = worker.clusters()
    assert len(old) > 2
    worker.process.kill()
    worker.process.wait(10)
    worker.start()
    desk.align.clear_faults()
    wait_for(lambda: not set(old) & set(worker.clusters()), "processes of the killed worker live on")
    desk.update_revision(order_id, lease_until=timezone.now() - timedelta(seconds=1))
    wait_for(lambda: desk.revision(order_id).state == RevisionState.READY, "the case did not come in")
    desk.assert_true_to_align(order_id)
