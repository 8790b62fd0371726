"""The ordinary way of a case passes every fault point, so that none of them tests nothing."""

from collections.abc import Iterator

import pytest

from labportal import faults
from labportal.faults import POINTS
from tests.cast import Cast
from tests.faults.scenes import Circumstances, scene_of
from tests.intake.desk import OpenDesk


@pytest.fixture
def armed() -> Iterator[faults.Armed]:
    yield faults.arm("")
    faults.disarm()


def test_every_point_is_passed(open_desk: OpenDesk, cast: Cast, armed: faults.Armed) -> None:
    desk = open_desk(normal=20)
    for family in ("notification", "look_up", "download", "resume", "refresh", "return", "repair"):
        point = next(point for point in POINTS if point.startswith(family))
        scene_of(point, cast.theo)(desk, Circumstances(point, seed=0)).work()
    assert set(armed.passed) == set(POINTS)
