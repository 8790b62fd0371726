"""The real worker: each process of it killed, idle and busy; and any of them, again and again, while scans arrive."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread

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
from tests.intake.desk import Desk, OpenDesk
from tests.intake.worker_process import Worker, wait_for
from tests.labportal.process_tree import KINDS, cluster_main, is_running, tree_of

CLUSTERS = ("portal", "downloads")
PATIENCE = 120.0  # seconds in which a case must be in after a kill
SLOW = 150_000  # bytes a second: a download that lasts some seconds
KILLING, SCANS, ENOUGH_KILLS = 60.0, 200, 20


@pytest.fixture
def worker(open_desk: OpenDesk, anna: Client, traces: Traces) -> Iterator[tuple[Desk, Worker]]:
    """It notices a cluster that hangs sooner than in production, where 20 s are allowed."""
    desk = open_desk(normal=len(KINDS) + 2)
    change(desk.pairing, next_due=None)
    started = Worker(traces.worker_log, WORKER_PING_SECONDS="1", WORKER_STALE_SECONDS="8")
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


def kill(worker: Worker, cluster: str, index: int) -> None:
    """The process of that kind, once its cluster is complete; one that has just ended by itself does not count."""
    while True:
        victims = tree_of(cluster_main(worker.process.pid, cluster))
        with suppress(ProcessLookupError, IndexError):
            os.kill(victims[index], signal.SIGKILL)
            return


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.fault_case("worker", "each process of the cluster {cluster} killed while idle")
def test_each_idle_process_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, cluster: str) -> None:
    desk, running = worker
    for index in range(len(KINDS)):
        kill(running, cluster, index)
        order_id = begins_to_come_in(desk)
        until_in(desk, order_id)
        verdict(desk, [order_id])


@pytest.mark.parametrize("cluster", CLUSTERS)
@pytest.mark.fault_case("worker", "each process of the cluster {cluster} killed while a scan comes in")
def test_each_busy_process_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, cluster: str) -> None:
    desk, running = worker
    for index in range(len(KINDS)):
        cluster_main(running.process.pid, cluster)
        desk.align.fault(call="download", bytes_per_second=SLOW)
        order_id = begins_to_come_in(desk)
        wait_for(lambda case=order_id: is_downloading(desk, case), "the download did not begin")  # type: ignore[misc]
        kill(running, cluster, index)
        desk.align.clear_faults()
        until_in(desk, order_id)
        verdict(desk, [order_id])


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
@pytest.mark.fault_case("worker", "the supervisor killed and started again; busy: {busy}")
def test_the_supervisor_is_killed(worker: tuple[Desk, Worker], verdict: Verdict, busy: bool) -> None:
    """As an init system does it; what the dead one left behind is ended before the new one begins."""
    desk, running = worker
    cluster_main(running.process.pid, "downloads")
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
    kills: list[int] = []
    killer = Thread(target=kill_at_random, args=(running, kills))
    killer.start()
    arrive_within(desk, seconds=KILLING, scans=SCANS)
    killer.join()
    assert len(kills) >= ENOUGH_KILLS
    stop_all(running)
    an_hour_passes(desk)
    running.start()
    until_quiet(desk)
    running.stop()
    assert verdict(desk).orders == SCANS


def kill_at_random(worker: Worker, kills: list[int]) -> None:
    """One process of the worker about each second, its supervisor as well, which is then started again."""
    dice, end = random.Random(SCANS), time.monotonic() + KILLING
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.3, 1.5))
        victim = dice.choice([worker.process.pid, *worker.clusters()])
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            kills.append(victim)
        if victim == worker.process.pid:
            worker.process.wait(10)
            worker.start()


def arrive_within(desk: Desk, *, seconds: float, scans: int) -> None:
    """Spread over the time, if the machine is quick enough; every second scan is pushed as well."""
    began = time.monotonic()
    for number in range(scans):
        while time.monotonic() - began < seconds * number / scans:
            time.sleep(0.05)
        order_id = desk.align.create_order(patient=PATIENT, notify=False)["orderId"]
        if number % 2:
            assert desk.push(order_id) == 202
        if number % 5 == 0:
            change(desk.pairing, next_due=timezone.now(), paused_until=None)
            ring_tick()


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
