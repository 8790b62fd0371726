"""The real worker in fault cases: a scan begins to come in, a process is chosen and killed, the scan is in at last."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone

from connector.intake.models import Notification, NotificationState, RunStatus, SyncRun
from connector.orders.models import Revision, RevisionState
from labportal.doorbell import ring_tick
from labportal.labs.tenancy import in_lab
from labportal.running import liveness
from tests.align import change
from tests.faults.recovery import an_hour_passes
from tests.faults.traces import Traces
from tests.intake.desk import READY, Desk, OpenDesk
from tests.intake.worker_process import Worker, wait_for
from tests.labportal.process_tree import KINDS, cluster_main, is_running, tree_of

CLUSTERS = ("portal", "downloads")
PATIENCE = 120.0  # seconds in which a case must be in after a kill
SLOW = 150_000  # bytes a second: a download that lasts some seconds
LATE = 20.0  # seconds until Align answers: a call in whose middle a process can be met


@pytest.fixture
def worker(open_desk: OpenDesk, anna: Client, traces: Traces) -> Iterator[tuple[Desk, Worker]]:
    """It notices a cluster that hangs sooner than in production, where 20 s are allowed."""
    desk = open_desk(normal=len(KINDS) + 2)
    change(desk.pairing, next_due=None)
    started = Worker(traces.worker_log, WORKER_PING_SECONDS="1", WORKER_STALE_SECONDS="12")
    yield desk, started
    started.kill_all()


# --- a scan comes in ------------------------------------------------------------------------------------------------


def begins_to_come_in(desk: Desk) -> str:
    order_id = desk.arrives()
    change(desk.pairing, next_due=timezone.now())
    ring_tick()
    return order_id


def is_pushed(desk: Desk) -> str:
    """It stands on no list: the push is all there is."""
    order_id = desk.in_stock["normal"].pop(0)
    desk.align.tell(f"orders/{order_id}/status", {"status": READY})
    assert desk.push(order_id) == 202
    return order_id


def is_in(desk: Desk, order_id: str) -> bool:
    with in_lab(desk.lab.pk):
        rows = Revision.objects.of(desk.lab).filter(order__order_id=order_id, state=RevisionState.READY)
        return rows.exists()


def all_in_within(desk: Desk, orders: list[str], seconds: float) -> bool:
    """Ring as the tick does, and let leases of the dead run out, until the cases are in."""
    end = time.monotonic() + seconds
    while not all(is_in(desk, order_id) for order_id in orders):
        if time.monotonic() > end:
            return False
        an_hour_passes(desk)
        ring_tick()
        pause = time.monotonic() + 5
        while time.monotonic() < pause and not all(is_in(desk, order_id) for order_id in orders):
            time.sleep(0.1)
    return True


def until_in(desk: Desk, *orders: str) -> None:
    assert all_in_within(desk, list(orders), PATIENCE), f"{orders} did not come in within {PATIENCE:.0f} s"


# --- a process is in the middle of something ------------------------------------------------------------------------


@dataclass(frozen=True)
class Work:
    """What a process can be met at: in which cluster, how Align is made slow, how a scan begins to come in, and whether
    our rows say that somebody is at it."""

    cluster: str
    slow: dict[str, Any]
    begin: Callable[[Desk], str]
    begun: Callable[[Desk], bool]


def is_polling(desk: Desk) -> bool:
    with in_lab(desk.lab.pk):
        return SyncRun.objects.of(desk.lab).filter(kind="poll", status=RunStatus.RUNNING).exists()


def is_looking_up(desk: Desk) -> bool:
    with in_lab(desk.lab.pk):
        return Notification.objects.of(desk.lab).filter(state=NotificationState.TAKEN).exists()


def is_downloading(desk: Desk) -> bool:
    with in_lab(desk.lab.pk):
        return Revision.objects.of(desk.lab).filter(state=RevisionState.FETCHING).exists()


WORKS = {
    "list": Work("portal", {"call": "orders", "latency": LATE}, begins_to_come_in, is_polling),
    "look-up": Work("portal", {"call": "orderByRxId", "latency": LATE}, is_pushed, is_looking_up),
    "download": Work("downloads", {"call": "download", "bytes_per_second": SLOW}, begins_to_come_in, is_downloading),
}


def begin_slowly(desk: Desk, work: Work) -> str:
    """The call that is slow is made, and not answered yet; the order id."""
    desk.align.fault(**work.slow, times=0)
    order_id = work.begin(desk)
    wait_for(lambda: is_asked(desk) and work.begun(desk), f"the {work.slow['call']} call did not begin")
    return order_id


def is_asked(desk: Desk) -> bool:
    """Whether a call has come to the fault that is set at Align."""
    faults = requests.get(f"{desk.align.url}/_sim/faults", timeout=10).json()["faults"]
    return any(fault["hits"] for fault in faults)


def processes_of(worker: Worker, cluster: str) -> tuple[int, list[int]]:
    """The one that is at work, by its mark of life; and the five others of its cluster, in the order of KINDS."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        tree = tree_of(cluster_main(worker.process.pid, cluster))
        busy = [pid for pid in tree if liveness._mark(cluster, pid).exists()]
        if len(tree) == len(KINDS) and len(busy) == 1:
            return busy[0], [pid for pid in tree if pid != busy[0]]
        time.sleep(0.1)
    raise AssertionError(f"not one process of {cluster} is at work")


def kill(pid: int) -> None:
    """It is dead afterwards, and was alive before."""
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_running(pid), "it lives on")


# --- all that wait are killed at once -------------------------------------------------------------------------------

RECOVERED = 60.0  # seconds: with the supervisor the scans are in within them, without it they are not
TOGETHER = 3


def idle_workers_are_killed(desk: Desk, mains: Callable[[], list[int]]) -> tuple[list[str], bool]:
    """One scan comes in; both idle workers of each cluster are killed (`mains` gives its main process); more
    scans come. All order ids, and whether they were in within RECOVERED."""
    first = begins_to_come_in(desk)
    until_in(desk, first)
    for main in mains():
        for pid in tree_of(main)[2:4]:
            kill(pid)
    orders = [begins_to_come_in(desk) for _ in range(TOGETHER)]
    return [first, *orders], all_in_within(desk, orders, RECOVERED)
