"""A real PostgreSQL for the tests, started before the settings are read; every test runs as the walled app role.

Loaded as a pytest plugin (`-p tests.database`), since the settings read the address of the database when they are
imported, which pytest-django does very early. tests/conftest.py makes the tables in it.
"""

import os
from pathlib import Path

TEST_DATA = Path(os.environ.get("TEST_DATA_DIR", Path(__file__).resolve().parent.parent / ".data" / "tests")).resolve()
os.environ["DATA_DIR"] = str(TEST_DATA)  # before labportal.env reads it
os.environ["SIMULATOR"] = "1"

from labportal.running.instance import prepare  # noqa: E402 - as above

_prepared = prepare(TEST_DATA, fast=True)
os.environ.update(_prepared.environment)


def pytest_unconfigure() -> None:
    """The last thing of a run."""
    if _prepared.server is not None:
        _prepared.server.stop()
