"""The real worker: each process of it killed, idle and busy; and any of them, again and again, while scans arrive."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from django.test import Client
from django.utils import timezone

from connector.orders.models import Revision, RevisionState
from labportal.doorbell import ring_tick
from labportal.labs.tenancy import in_lab
from tests.align import change
from tests.faults.recovery import an_hour_passes, still_waiting
from tests.faults.traces import PATIENT, Traces
from tests.faults.verdict import Verdict
from tests.intake.desk import READY, Desk, OpenDesk
from tests.intake.worker_process import Worker, wait_for
from tests.labportal.process_tree import KINDS, cluster_main, is_running, tree_of

CLUSTERS = ("portal", "downloads")
PATIENCE = 120.0  # seconds in which a case must be in after a kill
SLOW = 150_000  # bytes a second: a download that lasts some seconds


@pytest.fixture
def worker(open_desk: OpenDesk, anna: Client, traces: Traces) -> Iterator[tuple[Desk, Worker]]:
    """It notices a cluster that hangs sooner than in production, where 20 s are allowed."""
    desk = open_desk(normal=len(KINDS) + 2)
    change(desk.pairing, next_due=None)
    started = Worker(traces.worker_log, WORKER_PING_SECONDS="1", WORKER_STALE_SECONDS="5")
    yield desk, started
    started.kill_all()


def begins_to_come_in(desk: Desk) -> str:
    order_id = desk.arrives()
    change(desk.pairing, next_due=timezone.now())
    ring_tick()
    return order_id


def is_in(desk: Desk, order_id: str) -> bool:
    with in_lab(desk.lab.pk):
        rows = Revision.objects.of(desk.lab).filter(order__order_id=order_id, state=RevisionState.READY)
        return rows.exists()


def is_downloading(desk: Desk, order_id: str) -> bool:
    with in_lab(desk.lab.pk):
        rows = Revision.objects.of(desk.lab).filter(order__order_id=order_id, state=RevisionState.FETCHING)
        return rows.exists()


def until_in(desk: Desk, order_id: str) -> None:
    """Ring as the tick does, and let leases of the dead run out, until the case is in."""
    end = time.monotonic() + PATIENCE
    while not is_in(desk, order_id):
        assert time.monotonic() < end, f"{order_id} did not come in"
        an_hour_passes(desk)
        ring_tick()
        pause = time.monotonic() + 5
        while time.monotonic() < pause and not is_in(desk, order_id):
            time.sleep(0.1)


def to_kill(worker: Worker, cluster: str, index: int) -> int:
    """The process of that kind, once its cluster is complete."""
    return tree_of(cluster_main(worker.process.pid, cluster))[index]


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.fault_case("worker", "each process of the cluster {cluster} killed while idle")
def test_each_idle_process_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, cluster: str) -> None:
    desk, running = worker
    for index in range(len(KINDS)):
        os.kill(to_kill(running, cluster, index), signal.SIGKILL)
        order_id = begins_to_come_in(desk)
        until_in(desk, order_id)
        verdict(desk, [order_id])


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.fault_case("worker", "each process of the cluster {cluster} killed while a scan comes in")
def test_each_busy_process_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, cluster: str) -> None:
    desk, running = worker
    for index in range(len(KINDS)):
        victim = to_kill(running, cluster, index)
        desk.align.fault(call="download", bytes_per_second=SLOW)
        order_id = begins_to_come_in(desk)
        wait_for(lambda case=order_id: is_downloading(desk, case), "the download did not begin")  # type: ignore[misc]
        os.kill(victim, signal.SIGKILL)
        desk.align.clear_faults()
        until_in(desk, order_id)
        verdict(desk, [order_id])


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.fault_case("worker", "the supervisor killed and started again; busy: {busy}")
def test_the_supervisor_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, busy: bool) -> None:
    """As an init system does it; what the dead one left behind is ended before the new one begins."""
    desk, running = worker
    to_kill(running, "downloads", 0)
    order_id = ""
    if busy:
        desk.align.fault(call="download", bytes_per_second=SLOW)
        order_id = begins_to_come_in(desk)
        wait_for(lambda: is_downloading(desk, order_id), "the download did not begin")
    running.process.kill()
    running.process.wait(10)
    running.start()
    desk.align.clear_faults()
    order_id = order_id or begins_to_come_in(desk)
    until_in(desk, order_id)
    verdict(desk, [order_id])


@pytest.mark.fault_case("worker", "any process killed at random for 60 s while 200 scans arrive")
def test_random_kills_while_scans_arrive(worker: tuple[Desk, Worker], verdict: Verdict) -> None:
    """Half of the scans are pushed, half are found by the poll; the supervisor is started again as an init does it."""
    desk, running = worker
    desk.in_stock.clear()
    kills = storm(desk, running, seconds=60.0, scans=200)
    assert kills >= 30, kills
    stop_all(running)
    an_hour_passes(desk)
    running.start()
    until_quiet(desk)
    running.stop()
    found = verdict(desk)
    assert found.orders == 200


def storm(desk: Desk, worker: Worker, *, seconds: float, scans: int) -> int:
    """The number of kills."""
    dice, began, kills, arrived = random.Random(200), time.monotonic(), 0, 0
    next_kill = 3.0
    while (now := time.monotonic() - began) < seconds or arrived < scans:
        while arrived < min(scans, 1 + int(scans * now / seconds)):
            order_id = desk.align.create_order(patient=PATIENT, notify=False)["orderId"]
            arrived += 1
            if arrived % 2:
                desk.align.tell(f"orders/{order_id}/status", {"status": READY})
                assert desk.push(order_id) == 202
        if now >= next_kill and now < seconds:
            kills += kill_any(worker, dice)
            next_kill = now + dice.uniform(0.3, 2.0)
            change(desk.pairing, next_due=timezone.now(), paused_until=None)
            ring_tick()
        time.sleep(0.05)
    return kills


def kill_any(worker: Worker, dice: random.Random) -> int:
    """One process of the worker, its supervisor as well; 1 if it was there to be killed."""
    victim = dice.choice([worker.process.pid, *worker.clusters()])
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
        if victim == worker.process.pid:
            worker.process.wait(10)
            worker.start()
        return 1
    return 0


def stop_all(worker: Worker) -> None:
    """No process of it works any more, so that every lease is a dead one's."""
    everyone = worker.clusters()
    worker.process.terminate()
    worker.process.wait(60)
    for pid in everyone:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(is_running(pid) for pid in everyone), "a process of the worker lives on")


def until_quiet(desk: Desk) -> None:
    """The healthy worker takes in what there is; the waits of retries are cut short."""
    end = time.monotonic() + 600
    while still_waiting(desk):
        assert time.monotonic() < end, "not everything came in"
        with in_lab(desk.lab.pk):
            rows = Revision.objects.of(desk.lab)
            rows.filter(state=RevisionState.RETRY).update(next_due=timezone.now())
        change(desk.pairing, next_due=timezone.now(), paused_until=None)
        ring_tick()
        time.sleep(3)
