"""One simulator process for the tests that do not disturb each other; a fresh one for those that do."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A process shared by a module; its faults are cleared by whoever sets them."""
    with Simulator.start(tmp_path_factory.mktemp("simulator"), rescan_after=0.2, modeling_after=0.2) as running:
        yield running


@pytest.fixture
def start_simulator(tmp_path: Path) -> Iterator[Start]:
    """Starts processes with options of the test's own and stops them afterwards."""
    running: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        folder = tmp_path / f"simulator-{len(running)}"
        folder.mkdir()
        running.append(Simulator.start(folder, **options))
        return running[-1]

    yield start
    for simulator in running:
        simulator.stop()


@pytest.fixture
def lab(simulator: Simulator) -> Assumed:
    """Software that is connected to account 479 of the module's simulator."""
    visitor = Assumed(simulator)
    visitor.connect()
    return visitor
