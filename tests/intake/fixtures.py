"""Lab A's desk, paired with account 479 of a simulator of the test's own that has orders in stock."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from labportal.labs.models import User
from tests.align import point_at
from tests.cast import Cast
from tests.intake.desk import Desk, OpenDesk, forget_profile, make_desk, point_scans_at
from tests.intake.stock import NORMAL, STOCK, Stock
from tests.simulator.launch import Simulator

Through = Callable[[Simulator], None]


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """One for the run: two folders of tests use these fixtures."""
    if not STOCK:
        STOCK.append(Stock(tmp_path_factory.mktemp("stock")))
    yield STOCK[0]
    STOCK[0].stop()


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
def open_desk(stock: Stock, tmp_path: Path, scans: Path, settings: Any, anna: Client, cast: Cast) -> Iterator[OpenDesk]:
    """Starts Align with options and broken orders of the test's own, and pairs lab A with it; `through` may put
    something between the two before that."""
    running: list[Simulator] = []

    def open_it(
        *kinds: str, mode: str = "full", normal: int = NORMAL, through: Through | None = None, **options: Any
    ) -> Desk:
        folder = tmp_path / "align"
        folder.mkdir()
        orders = stock.copy_to(folder, kinds, normal)
        redirect_uri = settings.BASE_URL + reverse("connect_callback")
        quick = {"redirect_uri": [redirect_uri], "rescan_after": 0.1, "modeling_after": 0.1}
        running.append(Simulator.start(folder, **quick | options))
        point_at(settings, running[-1])
        if through:
            through(running[-1])
        return make_desk(running[-1], orders, cast.lab_a, anna, mode=mode)

    yield open_it
    for simulator in running:
        simulator.stop()
    forget_profile()


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """Everything as Align does it by default."""
    return open_desk()
