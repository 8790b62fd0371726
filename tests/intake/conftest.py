"""Lab A's desk, paired with account 479 of a simulator of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from labportal.labs.models import User
from tests.cast import Cast
from tests.intake.desk import Desk, make_desk, point_scans_at
from tests.simulator.launch import Simulator


@pytest.fixture
def scans(tmp_path: Path, settings: Any) -> Path:
    """The scan store of this test."""
    folder = tmp_path / "scans"
    point_scans_at(settings, folder)
    return folder


@pytest.fixture
def anna(committed: None, cast: Cast, client_of: Callable[[User], Client]) -> Client:
    """Lab A's owner at a browser."""
    return client_of(cast.anna)


@pytest.fixture
def desk(align: Simulator, scans: Path, anna: Client, cast: Cast) -> Iterator[Desk]:
    yield make_desk(align, cast.lab_a, anna)
