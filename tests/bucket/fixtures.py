"""A test's scans lie in a bucket: `server` runs for the file, `bucket` is the test's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.bucket.launch import Bucket, serving
from tests.line.proxy import Proxy


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


@pytest.fixture
def line_to_bucket(bucket: Bucket, settings: Any) -> Iterator[Proxy]:
    """Between the portal and its bucket, with nothing wrong yet."""
    with Proxy(urlsplit(bucket.url).port or 0) as line:
        storage = bucket.storage()
        storage["OPTIONS"] |= {"endpoint_url": line.url}
        settings.STORAGES = {**settings.STORAGES, "scans": storage}
        yield line
