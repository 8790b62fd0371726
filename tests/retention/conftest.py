"""The desk of the intake tests, where a case has to come in before it can be removed; and a case made at once."""

from pathlib import Path
from typing import Any

import pytest

from tests.bucket.fixtures import bucket, line_to_bucket, server  # noqa: F401 - fixtures
from tests.intake.fixtures import anna, desk, open_desk, scans, stock  # noqa: F401 - fixtures
from tests.orders.conftest import case, pairing, scans_dir  # noqa: F401 - fixtures
from tests.retention.keeping import taken_in  # noqa: F401 - a fixture


@pytest.fixture(autouse=True)
def erasures(settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The list of removals of this test."""
    settings.ERASURES_FILE = tmp_path_factory.mktemp("outside") / "erasures.jsonl"
    return settings.ERASURES_FILE  # type: ignore[no-any-return]  # pytest-django's settings are untyped
