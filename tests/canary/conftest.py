"""A lab whose every case carries the canary, in a folder of logs and mails of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.canary.places import all_logged
from tests.faults.traces import PATIENT, Traces
from tests.intake.fixtures import anna, desk, open_desk, scans  # noqa: F401 - fixtures
from tests.intake.stock import Stock
from tests.signin.conftest import enrol  # noqa: F401 - a fixture


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    """Align's orders are the canary's, too."""
    made = Stock(tmp_path_factory.mktemp("stock"), patient=PATIENT)
    yield made
    made.stop()


@pytest.fixture
def logs(tmp_path: Path, settings: Any) -> Iterator[tuple[Traces, Path]]:
    settings.STATUS_TOKEN = "status-token-of-this-test"
    (tmp_path / "said").mkdir()
    with all_logged(tmp_path / "said") as kept:
        yield kept
