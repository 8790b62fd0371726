"""A real PostgreSQL for the tests, started before the settings are read; every test runs as the walled app role.

The tables are made by the owner role in a test database; then `default` and `operator` are pointed at it.
"""

import os
from pathlib import Path

TEST_DATA = Path(os.environ.get("TEST_DATA_DIR", Path(__file__).resolve().parent.parent / ".data" / "tests"))
os.environ["DATA_DIR"] = str(TEST_DATA)  # before labportal.env reads it
os.environ["SIMULATOR"] = "1"

from labportal.embedded_postgres import Server  # noqa: E402 - as above
from labportal.running.instance import prepare  # noqa: E402 - as above

_server: Server | None = None


def pytest_load_initial_conftests() -> None:
    global _server
    prepared = prepare(TEST_DATA, fast=True)
    _server = prepared.server
    os.environ.update(prepared.environment)


def pytest_unconfigure() -> None:
    if _server is not None:
        _server.stop()
