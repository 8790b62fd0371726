"""What happens to a worker as a whole: stopped past its lease, started without a database, its queue unreadable."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_q import core_signing
from django_q.conf import Conf
from django_q.models import OrmQ, Schedule

from connector.intake import leases
from connector.orders import store
from connector.orders.models import Revision, RevisionState
from labportal.doorbell import ring_tick
from tests.align import change
from tests.faults import forking
from tests.faults.machine import bring_database, durable_commits, kill_database
from tests.faults.recovery import an_hour_passes, recover
from tests.faults.scenes import look_and_work
from tests.faults.traces import Traces
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, OpenDesk, work
from tests.intake.worker_process import Worker, wait_for

ORDERS = 3


def arrive(desk: Desk, number: int = ORDERS) -> list[str]:
    orders = [desk.arrives() for _ in range(number)]
    change(desk.pairing, next_due=timezone.now())
    return orders


# --- stopped past its lease -----------------------------------------------------------------------------------------


def stopped_past_its_lease(desk: Desk, *, fenced: bool) -> list[str]:
    """A worker freezes in mid-download (a laptop's lid, a host that swaps); another one does its work; it wakes up."""
    orders = arrive(desk, 1)
    desk.align.fault(call="download", bytes_per_second=60_000)
    frozen = forking.start(partial(look_and_work, desk) if fenced else partial(work_without_a_fence, desk))
    wait_for(lambda: bytes_here(desk, orders[0]) > 0, "the download did not begin")
    os.kill(frozen, signal.SIGSTOP)
    desk.align.clear_faults()
    an_hour_passes(desk)
    look_and_work(desk)
    assert desk.revision(orders[0]).has_files
    os.kill(frozen, signal.SIGCONT)
    forking.wait(frozen)
    recover(desk)
    return orders


def bytes_here(desk: Desk, order_id: str) -> int:
    if order_id not in {order.order_id for order in desk.orders()}:
        return 0
    return sum(part.stat().st_size for part in store.staging(desk.revision(order_id).pk).glob("*.part"))


def work_without_a_fence(desk: Desk) -> None:
    """The safeguard taken away in this process: whoever writes last is right."""

    def anybody(revision: Revision) -> Any:
        return Revision.objects.of(revision.lab_id).filter(pk=revision.pk)

    leases.held = anybody
    look_and_work(desk)


@pytest.mark.cut
@pytest.mark.fault_case("machine", "a worker stopped past its lease, and woken (SIGSTOP, SIGCONT)")
def test_a_worker_that_wakes_up_late_changes_nothing(open_desk: OpenDesk, verdict: Verdict) -> None:
    desk = open_desk()
    verdict(desk, stopped_past_its_lease(desk, fenced=True))


@pytest.mark.fault_case("machine", "a worker stopped past its lease, without fencing", control=True)
def test_without_fencing_it_does(open_desk: OpenDesk, verdict: Verdict) -> None:
    desk = open_desk()
    verdict(desk, stopped_past_its_lease(desk, fenced=False))


# --- the real worker ------------------------------------------------------------------------------------------------


@pytest.fixture
def workers(anna: Client, traces: Traces) -> Iterator[list[Worker]]:
    """Those that a test starts; none is left."""
    started: list[Worker] = []
    with durable_commits():
        yield started
        for worker in started:
            worker.kill_all()


def start(workers: list[Worker], traces: Traces) -> Worker:
    workers.append(Worker(traces.worker_log))
    return workers[-1]


def until_ready(desk: Desk, orders: list[str], worker: Worker) -> None:
    wait_for(lambda: {o.order_id for o in desk.orders()} >= set(orders), "the orders were not seen")
    wait_for(lambda: all(desk.revision(o).state == RevisionState.READY for o in orders), "not all were fetched")
    worker.stop()


@pytest.mark.fault_case("machine", "PostgreSQL down when the worker starts")
def test_the_database_is_down_when_the_worker_starts(
    open_desk: OpenDesk, verdict: Verdict, workers: list[Worker], traces: Traces
) -> None:
    desk = open_desk()
    orders = arrive(desk)
    kill_database()
    worker = start(workers, traces)
    wait_for(lambda: "waiting for the database: " in traces.worker_log.read_text(), "it does not wait")
    bring_database()
    until_ready(desk, orders, worker)
    verdict(desk, orders)


@pytest.mark.fault_case("machine", "PostgreSQL killed under a worker that works")
def test_the_database_is_killed_under_a_worker(
    open_desk: OpenDesk, verdict: Verdict, workers: list[Worker], traces: Traces
) -> None:
    desk = open_desk()
    orders = arrive(desk)
    desk.align.fault(call="download", bytes_per_second=100_000, times=0)
    worker = start(workers, traces)
    wait_for(lambda: bytes_here(desk, orders[0]) > 0, "the downloads did not begin")
    kill_database()
    time.sleep(3)
    bring_database()
    desk.align.clear_faults()
    wait_for(lambda: worker.process.poll() is None, "the worker ended")
    an_hour_passes(desk)
    ring_tick()
    until_ready(desk, orders, worker)
    verdict(desk, orders)


@pytest.mark.fault_case("machine", "SECRET_KEY changed while tasks are queued")
def test_a_new_secret_key_drops_the_queue_and_loses_nothing(
    open_desk: OpenDesk, verdict: Verdict, workers: list[Worker], traces: Traces, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk()
    orders = arrive(desk)
    desk.poll()  # recorded, and rung for under the old key
    queued = set(OrmQ.objects.values_list("pk", flat=True))
    assert queued
    monkeypatch.setenv("SECRET_KEY", "another key, fifty characters long, as they should be")
    worker = start(workers, traces)
    until_ready(desk, orders, worker)
    assert "Failed to push task to queue" in traces.worker_log.read_text()
    assert not OrmQ.objects.filter(pk__in=queued).exists()
    verdict(desk, orders)


@pytest.mark.fault_case("machine", "SECRET_KEY changed while tasks are queued, and no sweep", control=True)
def test_without_the_sweep_a_dropped_queue_loses_all(open_desk: OpenDesk, verdict: Verdict) -> None:
    desk = open_desk()
    orders = arrive(desk)
    desk.poll()
    OrmQ.objects.all().delete()  # what the queue does to rows that another key has signed
    work()
    verdict(desk, orders)


class Garbage:
    """Signed by us, and no pickle."""

    @staticmethod
    def dumps(thing: object) -> bytes:
        return b"no pickle at all"


@pytest.mark.fault_case("machine", "unreadable rows in the queue's tables of tasks and schedules")
def test_poison_in_the_queues_tables_stops_nothing(
    open_desk: OpenDesk, verdict: Verdict, workers: list[Worker], traces: Traces
) -> None:
    desk = open_desk()
    signed = core_signing.dumps({}, key=Conf.SECRET_KEY, salt=Conf.PREFIX, serializer=Garbage)
    for payload in ("garbage", signed):
        OrmQ.objects.create(key="portal", payload=payload, lock=timezone.now())
    poison = Schedule.objects.create(name="poison", func="x.y", args="f(", schedule_type="I", minutes=1)
    try:
        orders = arrive(desk)
        worker = start(workers, traces)
        until_ready(desk, orders, worker)
    finally:
        poison.delete()
    OrmQ.objects.all().delete()
    verdict(desk, orders)
