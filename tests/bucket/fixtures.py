"""A test's scans lie in a bucket: `server` runs for the file, `bucket` is the test's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bucket.launch import Bucket, serving


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as url:
        yield url


@pytest.fixture(params=[False, True], ids=["plain", "versioned"])
def bucket(request: pytest.FixtureRequest, server: str, scans: Path, settings: Any) -> Bucket:
    """The store of this test; staging lies in the folder `scans` still."""
    made = Bucket(server, versioned=request.param)
    settings.STORAGES = {**settings.STORAGES, "scans": made.storage()}
    return made
