"""The real worker: any process of it killed, again and again, while scans arrive."""

import os
import random
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread

import pytest
from django.utils import timezone

from connector.orders.models import Revision, RevisionState
from labportal.doorbell import ring_tick
from labportal.labs.tenancy import in_lab
from tests.align import change
from tests.faults.recovery import an_hour_passes, still_waiting
from tests.faults.traces import PATIENT
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk
from tests.intake.worker_process import Worker, wait_for
from tests.labportal.process_tree import is_running

KILLING, SCANS, ENOUGH_KILLS = 60.0, 200, 20


@dataclass
class Times:
    """When a process was killed, when a scan arrived (monotonic seconds); `over` once the last one has."""

    kills: list[float] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    over: Event = field(default_factory=Event)


@pytest.mark.fault_case("worker", "any process killed at random for 60 s while 200 scans arrive", long=True)
def test_random_kills_while_scans_arrive(worker: tuple[Desk, Worker], verdict: Verdict) -> None:
    """Half of the scans are pushed, half are found by the poll; the supervisor is started again as an init does it."""
    desk, running = worker
    times = Times()
    killer = Thread(target=kill_at_random, args=(running, times))
    killer.start()
    try:
        arrive_within(desk, times, seconds=KILLING, scans=SCANS)
    finally:
        times.over.set()
        killer.join()
    assert_together(times)
    stop_all(running)
    an_hour_passes(desk)
    running.start()
    until_quiet(desk)
    running.stop()
    assert verdict(desk).orders == SCANS


def assert_together(times: Times) -> None:
    """Kills from the first arrival to the last, in each quarter of the scans; not beside them."""
    assert len(times.arrivals) == SCANS
    quarter = SCANS // 4
    for number in range(4):
        first, last = times.arrivals[number * quarter], times.arrivals[(number + 1) * quarter - 1]
        during = sum(first <= at <= last for at in times.kills)
        assert during >= ENOUGH_KILLS // 4, f"{during} kills while scans {number * quarter} and on arrived"


def kill_at_random(worker: Worker, times: Times) -> None:
    """One process of the worker about each second, its supervisor as well, which is then started again; for so long as
    scans arrive."""
    dice, end = random.Random(SCANS), time.monotonic() + KILLING
    while time.monotonic() < end or not times.over.is_set():
        time.sleep(dice.uniform(0.3, 1.5))
        victim = dice.choice([worker.process.pid, *worker.clusters()])
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            times.kills.append(time.monotonic())
        if victim == worker.process.pid:
            worker.process.wait(10)
            worker.start()


def arrive_within(desk: Desk, times: Times, *, seconds: float, scans: int) -> None:
    """Spread over the time, if the machine is quick enough; every second scan is pushed as well."""
    began = time.monotonic()
    for number in range(scans):
        while time.monotonic() - began < seconds * number / scans:
            time.sleep(0.05)
        order_id = desk.align.create_order(patient=PATIENT, notify=False)["orderId"]
        if number % 2:
            assert desk.push(order_id) == 202
        times.arrivals.append(time.monotonic())
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
