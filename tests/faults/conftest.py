"""Fault cases run by `make faults` alone. Orders here carry a canary for a patient; see traces.py."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.at_work import worker  # noqa: F401 - a fixture
from tests.faults.lines import open_line  # noqa: F401 - a fixture
from tests.faults.report import MARKS
from tests.faults.traces import PATIENT, Traces, kept_in
from tests.faults.verdict import verdict  # noqa: F401 - a fixture
from tests.intake.fixtures import anna, desk, open_desk, scans  # noqa: F401 - fixtures
from tests.intake.stock import Stock

SEEDS = 5


def pytest_configure(config: pytest.Config) -> None:
    for line in MARKS:
        config.addinivalue_line("markers", line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Fault cases run in `make faults`; what tests the harness itself runs in `make test`."""
    left_out = [item for item in items if item.get_closest_marker("fault_case")]
    if os.environ.get("FAULT_CASES") != "1" and left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    made = Stock(tmp_path_factory.mktemp("stock"), patient=PATIENT)
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def traces(tmp_path: Path, settings: Any) -> Iterator[Traces]:
    """Logs and mails of this case."""
    with kept_in(tmp_path) as kept:
        settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
        settings.EMAIL_FILE_PATH = str(kept.mails)
        yield kept


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> range:
    """How often a case runs, each time under other circumstances; once in the cut."""
    return range(1 if request.config.getoption("--cut") else SEEDS)
