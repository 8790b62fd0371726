"""Told twice, ten times, a hundred times: one scan, one download, one event."""

from collections.abc import Callable
from functools import partial

import pytest
from django.utils import timezone
from django_q.models import OrmQ

from connector.intake import tasks as intake
from connector.orders.models import RevisionState
from connector.returns import tasks as returns
from connector.returns.services import request_return
from labportal.labs.tenancy import in_lab
from tests.align import change
from tests.cast import Cast
from tests.faults import forking
from tests.faults.recovery import recover
from tests.faults.scenes import push_all
from tests.faults.verdict import Verdict
from tests.intake.desk import READY, Desk, OpenDesk, work

TIMES = 10
PUSHES = 100
Task = Callable[[], object]


def poll(desk: Desk, cast: Cast) -> Task:
    desk.arrives()
    change(desk.pairing, next_due=timezone.now())
    return partial(intake.poll, str(desk.lab.pk), str(desk.pairing.pk))


def look_up(desk: Desk, cast: Cast) -> Task:
    order_id = unlisted(desk)
    push_all(desk, [order_id])
    return partial(intake.look_up, str(desk.lab.pk), str(desk.pairing.pk))


def download(desk: Desk, cast: Cast) -> Task:
    desk.arrives()
    desk.poll()
    return partial(intake.download, str(desk.lab.pk), str(desk.pairing.pk))


def examine(desk: Desk, cast: Cast) -> Task:
    order_id = desk.arrives()
    desk.poll()
    intake.download(str(desk.lab.pk), str(desk.pairing.pk))
    assert desk.revision(order_id).state == RevisionState.STORED
    return partial(intake.examine, str(desk.lab.pk), str(desk.revision(order_id).pk))


def reconcile(desk: Desk, cast: Cast) -> Task:
    desk.arrives()
    return partial(intake.reconcile, str(desk.lab.pk), str(desk.pairing.pk))


def send(desk: Desk, cast: Cast) -> Task:
    order_id = desk.arrives()
    desk.take_in()
    with in_lab(desk.lab.pk):
        made = request_return(order=desk.order(order_id), by=cast.theo, reason="margin", comment="")
    return partial(returns.send, str(desk.lab.pk), str(made.pk))


def unlisted(desk: Desk) -> str:
    """A scan that Align does not list, so that the push alone leads to it."""
    order_id = desk.in_stock["normal"].pop(0)
    desk.align.tell(f"orders/{order_id}/status", {"status": READY})
    return order_id


TASKS = {
    "poll": poll,
    "look_up": look_up,
    "download": download,
    "examine": examine,
    "reconcile": reconcile,
    "send": send,
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.fault_case("told twice", "the task {task}, ten times at once")
def test_the_same_task_ten_times_at_once(open_desk: OpenDesk, verdict: Verdict, cast: Cast, task: str) -> None:
    desk = open_desk()
    run = TASKS[task](desk, cast)
    OrmQ.objects.all().delete()
    pids = [forking.start(run) for _ in range(TIMES)]
    assert [forking.wait(pid) for pid in pids] == [0] * TIMES
    work()
    recover(desk)
    verdict(desk)


@pytest.mark.cut
@pytest.mark.fault_case("told twice", "a hundred notifications and a poll at once")
def test_a_hundred_notifications_and_a_poll_at_once(open_desk: OpenDesk, verdict: Verdict) -> None:
    desk = open_desk()
    order_id = desk.arrives()
    change(desk.pairing, next_due=timezone.now())
    pids = [forking.start(partial(push_all, desk, [order_id] * (PUSHES // TIMES))) for _ in range(TIMES)]
    pids.append(forking.start(partial(intake.poll, str(desk.lab.pk), str(desk.pairing.pk))))
    pids += [forking.start(partial(work, rounds=PUSHES)) for _ in range(2)]
    assert [forking.wait(pid) for pid in pids] == [0] * len(pids)
    work(rounds=PUSHES)
    recover(desk)
    assert desk.downloads(order_id) == 1
    verdict(desk)
