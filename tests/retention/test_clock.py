"""A clock that is years ahead does not remove a lab's cases before somebody can have seen it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from connector.orders.models import RevisionState
from connector.retention.sweep import REMOVALS
from tests.intake.desk import Desk
from tests.retention.keeping import age, keep_for


def beats_were(name: str, ago: timedelta) -> None:
    """As the rows stand when the clock leaps ahead by so much; back, when it is less than nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE running_heartbeat SET at = at - %s * interval '1 second' WHERE name = %s RETURNING 1",
            [ago.total_seconds(), name],
        )
        assert cursor.fetchone()


def is_here(desk: Desk, order_id: str) -> bool:
    desk.sweep()
    return [row.state for row in desk.revisions(order_id)] == [RevisionState.READY]


@pytest.fixture
def over_time(desk: Desk) -> Any:
    """A case whose time has been over since the portal's clock went ahead."""
    order_id = desk.arrives()
    desk.take_in()
    desk.sweep()
    keep_for(desk.lab, 365)
    age(desk.lab, order_id, 366)
    return order_id


@pytest.mark.parametrize("leap", [timedelta(days=400), -timedelta(days=400)], ids=["ahead", "back"])
def test_for_a_day_after_the_clock_leapt_nothing_is_removed(desk: Desk, over_time: str, leap: timedelta) -> None:
    beats_were(REMOVALS, leap)
    assert is_here(desk, over_time)
    assert is_here(desk, over_time), "nor at the next look"
    beats_were(f"{REMOVALS}_leapt", timedelta(hours=23))
    assert is_here(desk, over_time)
    beats_were(f"{REMOVALS}_leapt", timedelta(hours=2))
    assert not is_here(desk, over_time)


def test_a_weekend_switched_off_is_no_leap(desk: Desk, over_time: str) -> None:
    beats_were(REMOVALS, timedelta(days=4))
    assert not is_here(desk, over_time)


def test_once_the_clock_is_right_again_its_leap_is_a_day_old_a_day_later(desk: Desk, over_time: str) -> None:
    """The note of the leap lies in the future then; it must not stand for years."""
    beats_were(REMOVALS, timedelta(days=400))
    assert is_here(desk, over_time)
    for name in (REMOVALS, f"{REMOVALS}_leapt"):
        beats_were(name, -timedelta(days=400))
    assert is_here(desk, over_time)
    beats_were(f"{REMOVALS}_leapt", timedelta(days=1, hours=1))
    assert not is_here(desk, over_time)
