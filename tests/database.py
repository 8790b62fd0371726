"""A real PostgreSQL for the tests, started before the settings are read; every test runs as the walled app role.

Loaded as a pytest plugin (`-p tests.database`), since the settings read the address of the database when they are
imported, which pytest-django does very early. tests/conftest.py makes the tables in it. Each of several processes
(pytest-xdist) has a PostgreSQL and a folder of its own.
"""

import os
import signal
from pathlib import Path

import pytest

PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "")
_data = os.environ.get("TEST_DATA_DIR", Path(__file__).resolve().parent.parent / ".data" / "tests")
TEST_DATA = Path(_data, PROCESS).resolve()
NAME = f"test_labportal{PROCESS}"
os.environ["DATA_DIR"] = str(TEST_DATA)  # before labportal.env reads it
os.environ["SIMULATOR"] = "1"

from labportal.running.instance import prepare  # noqa: E402 - as above

_prepared = prepare(TEST_DATA, fast=True)
os.environ.update(_prepared.environment)


def pytest_configure() -> None:
    """A run that is told to stop ends its fixtures first, and with them the processes that they started."""
    signal.signal(signal.SIGTERM, lambda *_: pytest.exit("told to stop", returncode=143))


def pytest_unconfigure() -> None:
    """The last thing of a run."""
    if _prepared.server is not None:
        _prepared.server.stop()
