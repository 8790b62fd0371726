"""Each safeguard taken away, in the test alone: the same faults, the same oracle, and now it must find losses.

Fencing has its control in test_worker_machine.py.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from connector.intake.record import record_order
from connector.itero import Asset
from connector.itero import Order as VendorOrder
from connector.orders import store
from connector.pairing import access
from connector.pairing.access import Access, call
from connector.pairing.models import Pairing
from labportal.env import BASE_DIR
from labportal.faults import fault
from tests.cast import Cast
from tests.faults import forking
from tests.faults.at_work import CLUSTERS, TOGETHER, idle_workers_are_killed
from tests.faults.recovery import an_hour_passes, recover
from tests.faults.scenes import Circumstances, scene_of
from tests.faults.test_refresh import WORKERS, over_night, use
from tests.faults.traces import Traces
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, OpenDesk, work
from tests.intake.worker_process import environment, wait_for
from tests.labportal.process_tree import KINDS, tree_of

POINT = "claim.after_commit"


# --- no row before the bytes ----------------------------------------------------------------------------------------


def bytes_before_the_row(desk: Desk) -> None:
    """As one would write it at first: what the list names is downloaded, and then there is a row."""

    def read(align: Access) -> None:
        for page in align.client.get_orders(align.endpoints, access_token=align.access_token):
            for seen in page.orders:
                content = download(align, seen)
                fault("download.after_check")
                keep(desk, seen, content)

    call(desk.lab.pk, desk.pairing.pk, read)
    work(forgiving=True)


def download(align: Access, seen: VendorOrder) -> bytes:
    content, buffer = bytearray(), memoryview(bytearray(1 << 20))
    with align.client.download_order(
        align.endpoints, access_token=align.access_token, order_id=seen.order_id, asset=Asset.FULL
    ) as body:
        while count := body.readinto(buffer):
            content += buffer[:count]
    return bytes(content)


def keep(desk: Desk, seen: VendorOrder, content: bytes) -> None:
    """The row, and the zip where the ordinary fetch takes a complete one over."""
    revision = record_order(desk.pairing, seen, source="poll").revision
    assert revision is not None
    (store.staging(revision.pk) / f"{revision.pk}.full.part").write_bytes(content)


@pytest.mark.cut
@pytest.mark.fault_case("kill -9", "no row before the bytes", control=True)
def test_without_a_row_before_the_bytes(open_desk: OpenDesk, verdict: Verdict, seeds: range) -> None:
    desk = open_desk(normal=TOGETHER * len(seeds))
    for seed in seeds:
        orders = [desk.arrives() for _ in range(TOGETHER)]
        killed = f"download.after_check:kill:{1 + seed % TOGETHER}"
        assert forking.run(partial(bytes_before_the_row, desk), killed) == -signal.SIGKILL
        recover(desk)
        verdict(desk, orders)


# --- no sweep -------------------------------------------------------------------------------------------------------


@pytest.mark.cut
@pytest.mark.fault_case("kill -9", "no sweep: the queue alone is worked off", control=True)
def test_without_the_sweep(open_desk: OpenDesk, verdict: Verdict, seeds: range, cast: Cast) -> None:
    desk = open_desk(normal=TOGETHER * len(seeds))
    for seed in seeds:
        scene = scene_of(POINT, cast.theo)(desk, Circumstances(POINT, seed))
        assert forking.run(scene.work, f"{POINT}:kill") == -signal.SIGKILL
        for _ in range(3):
            an_hour_passes(desk)
            work(forgiving=True)
        verdict(desk, scene.orders)


# --- no lock --------------------------------------------------------------------------------------------------------


def use_without_the_lock(desk: Desk) -> None:
    def unlocked(lab_id: UUID, pairing_id: UUID) -> Pairing:
        return Pairing.objects.of(lab_id).get(pk=pairing_id)

    access._locked = unlocked
    use(desk)


@pytest.mark.fault_case("refresh", "eight workers at once, without the row lock", control=True)
def test_without_the_row_lock(open_desk: OpenDesk, verdict: Verdict) -> None:
    desk = open_desk()
    orders = over_night(desk, orders=TOGETHER)
    desk.align.fault(call="refresh", latency=0.5, times=0)
    for pid in [forking.start(partial(use_without_the_lock, desk)) for _ in range(WORKERS)]:
        forking.wait(pid)
    desk.align.clear_faults()
    recover(desk)
    verdict(desk, orders)


# --- no supervisor --------------------------------------------------------------------------------------------------


@pytest.fixture
def bare_clusters(anna: Client, traces: Traces) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """What a test starts of `manage.py qcluster`, as django-q's own guide runs it; none is left."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        for pid in reversed(tree_of(process.pid)):
            os.kill(pid, signal.SIGKILL)
        process.wait(10)


def start_bare(name: str, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            [sys.executable, str(BASE_DIR / "manage.py"), "qcluster"],
            env=os.environ | environment() | {"Q_CLUSTER_NAME": name},
            stdout=file,
            stderr=file,
        )


@pytest.mark.fault_case(
    "worker", "idle workers of each cluster killed, without the supervisor", control=True, long=True
)
def test_without_the_supervisor(
    open_desk: OpenDesk, verdict: Verdict, bare_clusters: list["subprocess.Popen[bytes]"], traces: Traces
) -> None:
    """The same as in test_workers.py, where it is in within this time."""
    desk = open_desk()
    bare_clusters += [start_bare(name, traces.worker_log) for name in CLUSTERS]
    wait_for(lambda: all(len(tree_of(one.pid)) >= len(KINDS) for one in bare_clusters), "no complete clusters")
    orders, are_in = idle_workers_are_killed(desk, lambda: [one.pid for one in bare_clusters])
    assert not are_in
    verdict(desk, orders)
