"""At every fault point a process dies by a real SIGKILL, or fails; an hour later all is as it should be."""

import signal
import time

import pytest

from labportal.faults import POINTS
from tests.cast import Cast
from tests.faults import forking
from tests.faults.recovery import recover
from tests.faults.scenes import MOST_ORDERS, Circumstances, Scene, push_all, scene_of
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, OpenDesk, work

TRIES = 3  # with two workers, the other one may do all of it; so the last time there is none
ENOUGH = MOST_ORDERS * 5 * 2
ERRORS = 2  # seeds of the errors
IN_THE_CUT = {
    "notification.before_commit", "look_up.after_take", "poll.after_list", "record.before_commit", "claim.after_commit",
    "download.after_answer", "download.after_fsync", "store.after_rename", "store.before_commit", "resume.after_copy",
    "reading.before_commit", "refresh.after_rotation", "return.after_told",
}  # fmt: skip


def strike(scene: Scene, fault: str, *, two_workers: bool) -> bool:
    """Whether the process came to its point, where it died by the signal or failed."""
    pids = [forking.start(scene.work, fault)]
    if two_workers:
        time.sleep(0.02)
        pids.append(forking.start(lambda: work(forgiving=True)))
    codes = [forking.wait(pid) for pid in pids]
    assert codes[0] in (0, -signal.SIGKILL, forking.FAILED_THERE)
    assert codes[1:] in ([], [0])
    return codes[0] != 0


def one_run(desk: Desk, circumstances: Circumstances, action: str, cast: Cast) -> list[str]:
    """Fail at the point and recover; the orders that it was about."""
    circumstances.set_up(desk)
    orders: list[str] = []
    for left in reversed(range(TRIES)):
        scene = scene_of(circumstances.point, cast.theo)(desk, circumstances)
        orders += scene.orders
        struck = strike(scene, circumstances.fault(action), two_workers=circumstances.two_workers and left > 0)
        if circumstances.point.startswith("notification."):
            push_all(desk, scene.orders)  # Align had no answer to one of them, and asks again
        recover(desk, queue_lost=circumstances.queue_lost)
        if circumstances.point.startswith("return."):
            desk.align.wait_for_order(scene.orders[0], revision=2)  # the doctor scans again
            recover(desk)
        if struck:
            return orders
    raise AssertionError(f"no process came to {circumstances.point}")


@pytest.mark.parametrize("point", [pytest.param(p, marks=pytest.mark.cut) if p in IN_THE_CUT else p for p in POINTS])
@pytest.mark.fault_case("kill -9", "at {point}")
def test_a_process_killed_at_a_point(
    open_desk: OpenDesk, verdict: Verdict, seeds: range, cast: Cast, point: str
) -> None:
    # A vendor that ends the old tokens at once is another case (test_refresh.py): there only a person can sign in.
    desk = open_desk(normal=ENOUGH, refresh_grace=60)
    for seed in seeds:
        verdict(desk, one_run(desk, Circumstances(point, seed), "kill", cast))


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.fault_case("error that no code expects", "at {point}")
def test_an_error_that_no_code_expects(
    open_desk: OpenDesk, verdict: Verdict, seeds: range, cast: Cast, point: str
) -> None:
    desk = open_desk(normal=ENOUGH, refresh_grace=60)
    for seed in seeds[:ERRORS]:
        verdict(desk, one_run(desk, Circumstances(point, seed), "raise", cast))
