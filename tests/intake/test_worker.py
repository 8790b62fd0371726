"""The real worker, killed with -9 in the middle of a download, and started again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from connector.intake.leases import LEASE
from connector.orders.models import RevisionState
from labportal.doorbell import ring_tick
from tests.align import change
from tests.intake.desk import Desk
from tests.intake.worker_process import Worker, wait_for


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
