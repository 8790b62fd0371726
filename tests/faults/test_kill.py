"""kill -9 at every fault point: a process dies there by a real SIGKILL, and an hour later all is as it should be."""

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

TRIES = 3  # with two workers, the other one may do all of it
ENOUGH = MOST_ORDERS * 5 * 2
IN_THE_CUT = {
    "notification.before_commit", "look_up.after_take", "poll.after_list", "record.before_commit", "claim.after_commit",
    "download.after_answer", "download.after_fsync", "store.after_rename", "store.before_commit", "resume.after_copy",
    "reading.before_commit", "refresh.after_rotation", "return.after_told",
}  # fmt: skip


def die(desk: Desk, scene: Scene, fault: str, *, two_workers: bool) -> bool:
    """Whether the process died at its point, and by the signal."""
    pids = [forking.start(scene.work, fault)]
    if two_workers:
        time.sleep(0.02)
        pids.append(forking.start(lambda: work(forgiving=True)))
    codes = [forking.wait(pid) for pid in pids]
    assert codes[0] in (0, -signal.SIGKILL)
    assert codes[1:] in ([], [0])
    return codes[0] == -signal.SIGKILL


def one_run(desk: Desk, point: str, seed: int, cast: Cast) -> list[str]:
    """Die and recover; the orders that it was about."""
    circumstances = Circumstances(point, seed)
    circumstances.set_up(desk)
    orders: list[str] = []
    for _ in range(TRIES):
        scene = scene_of(point, cast.theo)(desk, circumstances)
        orders += scene.orders
        died = die(desk, scene, circumstances.fault("kill"), two_workers=circumstances.two_workers)
        if point.startswith("notification."):
            push_all(desk, scene.orders)  # Align had no answer to one of them, and asks again
        recover(desk, queue_lost=circumstances.queue_lost)
        if died:
            return orders
    raise AssertionError(f"no process died at {point}")


@pytest.mark.parametrize("point", [pytest.param(p, marks=pytest.mark.cut) if p in IN_THE_CUT else p for p in POINTS])
@pytest.mark.fault_case("kill -9", "at {point}")
def test_a_process_killed_at_a_point(
    open_desk: OpenDesk, verdict: Verdict, seeds: range, cast: Cast, point: str
) -> None:
    # A vendor that ends the old tokens at once is another case (test_refresh.py): there only a person can sign in.
    desk = open_desk(normal=ENOUGH, refresh_grace=60)
    for seed in seeds:
        verdict(desk, one_run(desk, point, seed, cast))
