"""A worker whose clock is wrong does no work, and says so by a code."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labportal.doors import TaskFailed, door
from labportal.running import clock
from labportal.running.clock import ClockWrong, refuse_wrong_clock
from labportal.tick import tick

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def wrong_by(monkeypatch: pytest.MonkeyPatch):
    real = timezone.now

    def set_wrong(seconds: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(seconds=seconds))

    return set_wrong


@pytest.mark.parametrize("seconds", [-25, 0, 25])
def test_a_few_seconds_are_no_matter(wrong_by, seconds: float) -> None:
    wrong_by(seconds)
    refuse_wrong_clock()
    assert abs(clock.seconds_away() + seconds) < 3


@pytest.mark.parametrize("seconds", [-35, 35, 86_400])
def test_more_is_refused(wrong_by, seconds: float) -> None:
    wrong_by(seconds)
    with pytest.raises(ClockWrong):
        refuse_wrong_clock()


def test_a_task_is_not_begun_and_its_failure_carries_the_code(wrong_by) -> None:
    done: list[str] = []

    @door
    def task() -> None:
        done.append("worked")

    task()
    wrong_by(7200)
    with pytest.raises(TaskFailed, match="ClockWrong clock_wrong"):
        task()
    assert done == ["worked"]


def test_the_tick_leaves_no_sign_of_life_so_that_pages_say_it(wrong_by) -> None:
    wrong_by(7200)
    with pytest.raises(ClockWrong):
        tick()
