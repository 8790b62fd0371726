"""Two labs with one of everything, really committed; and the ways to take one of the two walls away."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.db import connections

from labportal.labs.models import LabQuerySet
from tests import database
from tests.cast import Cast
from tests.isolation.world import World, make_world

Worlds = tuple[World, World]


@pytest.fixture
def worlds(committed: None, cast: Cast) -> Worlds:
    """Lab A's and lab B's."""
    return make_world(cast.lab_a, cast.anna, "QQalphaQQ"), make_world(cast.lab_b, cast.bruno, "QQbetaQQ")


@pytest.fixture
def without_filter(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take the first wall away: `objects.of(lab)` gives the rows of every lab."""

    def remove() -> None:
        monkeypatch.setattr(LabQuerySet, "of", lambda self, lab: self)

    return remove


@contextmanager
def _logged_in_as(user: str, password: str) -> Iterator[None]:
    connection = connections["default"]
    before = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD")}
    connection.close()
    connection.settings_dict.update(USER=user, PASSWORD=password)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


@pytest.fixture
def without_row_level_security(committed: None) -> Callable[[], Any]:
    """Take the second wall away: the app logs in as a superuser, for whom policies do not count."""

    def remove() -> Any:
        server = database._prepared.server
        if server is None:
            pytest.skip("needs the embedded database: a server of one's own gives no superuser to tests")
        parts = urlsplit(server.superuser_url)
        return _logged_in_as(unquote(parts.username or ""), unquote(parts.password or ""))

    return remove
