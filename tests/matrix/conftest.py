"""Run by `make isolation` alone: it takes minutes."""

import logging
import os
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from labportal.labs.models import User
from tests.cast import Cast
from tests.isolation.conftest import without_filter, without_row_level_security  # noqa: F401 - fixtures
from tests.matrix.visitors import Visitor, Worlds, make_visitors, make_worlds

collect_ignore_glob = [] if os.environ.get("ISOLATION_MATRIX") == "1" else ["test_*.py"]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Thousands of refusals are meant here; their log lines say nothing."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def worlds(committed: None, cast: Cast) -> Worlds:
    return make_worlds(cast)


@pytest.fixture
def visitors(cast: Cast, worlds: Worlds, client_of: Callable[[User], Client]) -> dict[str, Visitor]:
    return make_visitors(cast, worlds, client_of)
