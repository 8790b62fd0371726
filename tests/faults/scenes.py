"""The scene in which a fault point is passed: what the practice and the people do before, and the work in which the
process dies. One for each family of points."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.utils import timezone

from connector.orders.models import RevisionState
from connector.returns.services import request_return
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from labportal.tick import tick
from tests.align import change, let_pass
from tests.intake.desk import READY, Desk, work
from tests.orders.stored import rot

# Passed once for each order; the others once a run of the task, however many orders there are.
FOR_EACH_ORDER = (
    "poll.after_record",
    "record.",
    "claim.",
    "download.",
    "store.",
    "reading.",
    "look_up.after_a",
    "look_up.after_r",
)
# Nothing of the zip may be here yet, or not all of it: a vendor that gives it out only once counts the last byte.
BEFORE_THE_LAST_BYTE = ("download.after_answer", "download.after_piece", "resume.")
MOST_ORDERS = 3


@dataclass
class Circumstances:
    """What a seed varies: how many orders arrive together, at which passing the process dies, whether a second worker
    is at work, whether Align gives a zip only once, and whether the task queue is lost with the process."""

    point: str
    seed: int
    orders: int = field(init=False)
    passing: int = field(init=False)
    two_workers: bool = field(init=False)
    given_once: bool = field(init=False)
    queue_lost: bool = field(init=False)

    def __post_init__(self) -> None:
        dice = random.Random(f"{self.point} {self.seed}")
        self.orders = dice.randint(1, MOST_ORDERS)
        self.two_workers = self.seed % 3 == 2
        alone = self.point.startswith(FOR_EACH_ORDER) and not self.two_workers
        self.passing = dice.randint(1, self.orders) if alone else 1
        self.given_once = dice.random() < 0.5
        self.queue_lost = dice.random() < 0.5

    def fault(self, action: str) -> str:
        return f"{self.point}:{action}:{self.passing}"

    def set_up(self, desk: Desk) -> None:
        last = self.point.startswith(BEFORE_THE_LAST_BYTE)
        desk.align.switch(
            second_download="gone" if self.given_once else "allow", consume_at="last" if last else "first"
        )


@dataclass
class Scene:
    """The orders that this run is about, and what the worker does to them."""

    orders: list[str]
    work: Callable[[], object]


def look_and_work(desk: Desk) -> None:
    """What the tick's ring begins: a poll, and all that follows from it."""
    tick()
    work(forgiving=True)


def arriving(desk: Desk, circumstances: Circumstances) -> Scene:
    """Scans come in by the poll."""
    orders = [desk.arrives() for _ in range(circumstances.orders)]
    change(desk.pairing, next_due=timezone.now())
    return Scene(orders, partial(look_and_work, desk))


def pushed(desk: Desk, circumstances: Circumstances) -> Scene:
    """Scans come in by Align's notifications alone: they stand on no list, so the poll is no net below them."""
    orders = [desk.in_stock["normal"].pop(0) for _ in range(circumstances.orders)]
    for order_id in orders:
        desk.align.tell(f"orders/{order_id}/status", {"status": READY})
    if circumstances.point.startswith("look_up."):
        push_all(desk, orders)
        return Scene(orders, partial(work, forgiving=True))
    return Scene(orders, partial(push_and_work, desk, orders))


def push_all(desk: Desk, orders: list[str]) -> None:
    for order_id in orders:
        assert desk.push(order_id) == 202


def push_and_work(desk: Desk, orders: list[str]) -> None:
    push_all(desk, orders)
    work(forgiving=True)


def resumed(desk: Desk, circumstances: Circumstances) -> Scene:
    """A download broke before; this is the attempt that goes on with it."""
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.4)
    desk.poll()
    work(forgiving=True)
    assert desk.revision(order_id).state == RevisionState.RETRY
    desk.ripen()
    return Scene([order_id], partial(look_and_work, desk))


def rotten(desk: Desk, circumstances: Circumstances) -> Scene:
    """A stored zip has lost a bit since; its look is due, and Align gives it out again."""
    desk.align.switch(second_download="allow")
    order_id = desk.arrives()
    desk.take_in()
    rot(desk.revision(order_id))
    desk.update_revision(order_id, stored_at=timezone.now() - timedelta(days=8), checked_at=None)
    return Scene([order_id], partial(look_and_work, desk))


def over_night(desk: Desk, circumstances: Circumstances) -> Scene:
    """Scans come in when the access token has run out, so that a refresh is the first thing."""
    scene = arriving(desk, circumstances)
    let_pass(desk.align, desk.pairing)
    return scene


def returned(person: User, desk: Desk, circumstances: Circumstances) -> Scene:
    """A stored case is sent back to the doctor; the re-scan comes in afterwards."""
    order_id = desk.arrives()
    desk.take_in()
    with in_lab(desk.lab.pk):
        request_return(order=desk.order(order_id), by=person, reason="margin", comment="")
    return Scene([order_id], partial(work, forgiving=True))


def scene_of(point: str, person: User) -> Callable[[Desk, Circumstances], Scene]:
    """By the point's family."""
    scenes: dict[str, Callable[[Desk, Circumstances], Scene]] = {
        "notification": pushed,
        "look_up": pushed,
        "resume": resumed,
        "refresh": over_night,
        "repair": rotten,
        "return": partial(returned, person),
    }
    return scenes.get(point.partition(".")[0], arriving)
