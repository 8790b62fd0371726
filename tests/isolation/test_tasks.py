"""Every task of the queue, rung with lab B's id and an id of lab A: nothing of lab A changes, and Align is not asked.

Each wall is proven alone. Two controls: for its own lab each task does act, and with both walls taken away it reaches
into the other lab (but where a third thing stands in the way).
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from typing import Any
from uuid import UUID

import pytest
from django.utils.module_loading import import_string

from labportal.doors import TaskFailed
from tests.align import calls_in_order
from tests.cast import Cast
from tests.intake.desk import Desk, OpenDesk
from tests.intake.fixtures import anna, open_desk, scans, stock  # noqa: F401 - fixtures
from tests.isolation.due import TASKS, WITHOUT_A_LAB, has_a_door, make_due, tasks_in_the_code
from tests.isolation.world import fingerprint
from tests.mails import Mails, mails  # noqa: F401 - a fixture

# What a third thing holds back, so that the control can't reach it.
HELD_OTHERWISE = {
    "connector.intake.tasks.reconcile": "the key on (lab, pairing) refuses a run of lab B for a pairing of lab A",
    "connector.pairing.tasks.alarm": "the same, for the alarm's row",
    "connector.intake.tasks.purge": "the rows that it deletes are named with the lab once more",
}
Reach = tuple[dict[str, str], list[str], int]


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


@pytest.fixture
def reach(open_desk: OpenDesk, mails: Mails, settings: Any, tmp_path: Any) -> Callable[[UUID], set[str]]:  # noqa: F811 - fixtures
    """Gives the tasks that, rung with a lab's id and ids of lab A, changed a row of A, asked Align or told people."""
    settings.ERASURES_FILE = tmp_path / "erasures.jsonl"
    desk = open_desk(normal=1)
    order_id = desk.arrives()
    desk.take_in()

    def now() -> Reach:
        return fingerprint(desk.lab.pk), calls_in_order(desk.align), len(mails.all())

    def reached(lab_id: UUID) -> set[str]:
        return {task for task in TASKS if changes(task, lab_id, desk, order_id, now)}

    return reached


def changes(task: str, lab_id: UUID, desk: Desk, order_id: str, now: Callable[[], Reach]) -> bool:
    arguments = make_due(task, desk, order_id)
    before = now()
    with suppress(TaskFailed):
        import_string(task)(str(lab_id), *arguments)
    return now() != before


def test_every_task_stands_in_the_table_and_has_a_door() -> None:
    assert tasks_in_the_code() == TASKS.keys() | WITHOUT_A_LAB.keys(), "a new task: say in due.py what makes it due"
    assert all(has_a_door(task) for task in tasks_in_the_code() if ".tasks." in task)


def test_for_its_own_lab_each_task_acts(reach: Callable[[UUID], set[str]], cast: Cast) -> None:
    assert reach(cast.lab_a.pk) == TASKS.keys()


@pytest.mark.parametrize("walls", ["both", "row-level security alone", "the filter alone"])
def test_rung_by_another_lab_no_task_reaches_it(
    walls: str,
    reach: Callable[[UUID], set[str]],
    cast: Cast,
    without_filter: Callable[[], None],
    without_row_level_security: Callable[[], Any],
) -> None:
    if walls == "row-level security alone":
        without_filter()
    with without_row_level_security() if walls == "the filter alone" else nullcontext():
        assert reach(cast.lab_b.pk) == set()


def test_with_neither_wall_every_task_reaches_the_other_lab(
    reach: Callable[[UUID], set[str]],
    cast: Cast,
    without_filter: Callable[[], None],
    without_row_level_security: Callable[[], Any],
) -> None:
    without_filter()
    with without_row_level_security():
        assert TASKS.keys() - reach(cast.lab_b.pk) == HELD_OTHERWISE.keys()
