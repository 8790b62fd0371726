"""What the processes share in the cache is named for one person, one lab, one key or one address: so no answer that was
made for one lab can be served to another. Read off the table, after everybody has asked for everything."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.test import Client

from connector.lms.services import make_key
from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.routes import ROUTES
from tests.isolation.test_every_url import METHODS, ask, ids_of

ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# Each is a count, and none an answer. `whose` is what the key says it belongs to.
NAMED = {
    "a person": rf"allauth:rl:[\w.]+:\w+:[^:]+:user:{ID}",
    "an address": r"allauth:rl:[\w.]+:\w+:[^:]+:ip:[0-9a-f.:/]+",
    "what was typed, hashed": r"allauth:rl:[\w.]+:\w+:[^:]+:[0-9a-f]{64}",
    "an API key": rf"lms-rate:{ID}:\d+",
    "a person in a lab": rf"opened:{ID}:{ID}:\d+",
}


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


def keys() -> set[str]:
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT cache_key FROM labportal_cache")
        return {key.partition(":1:")[2] for (key,) in cursor.fetchall()}


def whose(key: str) -> str:
    return next((name for name, pattern in NAMED.items() if re.fullmatch(pattern, key)), "")


def test_every_key_of_the_cache_says_whose_it_is(worlds: Worlds, cast: Cast, client_of: Any) -> None:
    cache.clear()
    people = [client_of(person) for person in (cast.anna, cast.theo, cast.vera, cast.bruno, cast.nina, cast.olga)]
    systems = [
        Client(headers={"Authorization": f"Bearer {make_key(lab=lab, name='LMS', by=None)[1]}"})
        for lab in (cast.lab_a, cast.lab_b)
    ]
    Client().post("/accounts/login/", {"login": cast.anna.email, "password": "a guess"})
    for name in sorted(ROUTES, key=lambda name: name == "account_logout"):
        for visitor in (Client(), *people, *systems):
            for method in METHODS:
                ask(visitor, name, method, ids_of(worlds[0]))
    found = keys()
    assert [key for key in found if not whose(key)] == []
    assert {whose(key) for key in found} == set(NAMED)  # nothing is listed that does not occur
    assert len([key for key in found if whose(key) == "an API key"]) >= 2


def test_control_a_key_that_both_labs_share_is_found(committed: None) -> None:
    cache.clear()
    cache.set("inbox:counts", {"new": 3})
    assert [whose(key) for key in keys()] == [""]
