"""Every address × both methods × everybody: who gets in, and that a foreign id answers exactly like a missing one."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.routes import PEOPLE, ROUTES
from tests.isolation.world import World, fingerprint

# The stock pages of Django's admin: one rule for all, in test_admin_addresses.py. Behind the same door, the operator's
# look into a lab's cases, in tests/break_glass/.
ELSEWHERE = ("admin:", "break_glass")
# They answer the same for a key or token of a mail that is good and for one that is not.
TELLS_NOTHING = ("account_", "mfa_", "invitation_link", "company_door")


def walk(patterns: list[Any], prefix: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """(name, address pattern) of every route; a regular expression without its anchors."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern).removeprefix("^").removesuffix("$")
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from walk(pattern.url_patterns, path, inner)
        elif isinstance(pattern, URLPattern):
            yield space + (pattern.name or path), path


NAMES = {name for name, _ in walk(get_resolver().url_patterns) if not name.startswith(ELSEWHERE)}


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Hundreds of refusals are meant here; their log lines say nothing."""
    with caplog.at_level("CRITICAL"):
        yield


def test_every_address_stands_in_the_table_and_no_other() -> None:
    assert NAMES - set(ROUTES) == set(), "a new address: say in routes.py who may use it"
    assert set(ROUTES) - NAMES == set(), "routes.py names an address that is gone"


@dataclass(frozen=True)
class Answer:
    """All that a browser gets."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(client: Client, name: str, method: str, ids: dict[str, str]) -> Answer:
    """One address, asked for by one person."""
    route = ROUTES[name]
    address = reverse(name, kwargs={key: ids[route.uses.get(key, key)] for key in route.takes})
    if method == "GET":
        response: Any = client.get(address)
    else:
        response = client.post(address, {key: value.format(**ids) for key, value in route.form.items()})
    body = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    return Answer(response.status_code, dict(response.headers), body)


@pytest.fixture
def visitors(cast: Cast, client_of: Any) -> dict[str, Client]:
    return {name: Client() if name == "anonymous" else client_of(getattr(cast, name)) for name in PEOPLE}


def expected(name: str, method: str) -> list[str]:
    return (ROUTES[name].get if method == "GET" else ROUTES[name].post).split()


EVERY_ROUTE = pytest.mark.parametrize("name", sorted(ROUTES))
METHODS = ("GET", "POST")
LET_IN = {"ok", "go"}


@EVERY_ROUTE
def test_who_gets_in(name: str, worlds: Worlds, visitors: dict[str, Client]) -> None:
    for method in METHODS:
        wanted, got, before = expected(name, method), [], fingerprint()
        for person, want in zip(PEOPLE, wanted, strict=True):
            got.append(kind(ask(visitors[person], name, method, ids_of(worlds[0]))))
            after = fingerprint()
            assert want in LET_IN or after == before, f"{person} is not let in and yet changed a row"
            before = after
        assert got == wanted, method


@pytest.mark.parametrize("name", sorted(name for name, route in ROUTES.items() if route.takes))
def test_an_id_of_another_lab_answers_like_one_that_does_not_exist(
    name: str, worlds: Worlds, visitors: dict[str, Client]
) -> None:
    everybody = [(method, *each) for method in METHODS for each in zip(PEOPLE, expected(name, method), strict=True)]
    for method, person, want in everybody:
        foreign = ask(visitors[person], name, method, ids_of(worlds[0])) if want not in LET_IN else None
        missing = ask(visitors[person], name, method, ids_of(None))
        if foreign is not None:
            assert seen_by(foreign) == seen_by(missing), f"{person} can tell the two apart"
        elif not name.startswith(TELLS_NOTHING):
            assert missing.status == 404, f"{person} is answered about something that does not exist"


def ids_of(world: World | None) -> dict[str, str]:
    """Lab A's ids, or ids of nothing."""
    if world is not None:
        own = {"picture_id": str(world.picture.pk), "secret": "x" * 43, "key": "x", "token": "x", "uidb36": "1"}
        return {**world.ids(), **own, "pk": "0", "provider_id": str(uuid.uuid4()), "door": "no-such-lab"}
    names = (
        "order_id",
        "file_id",
        "picture_id",
        "pairing_id",
        "attempt_id",
        "membership_id",
        "invitation_id",
        "provider_id",
        "api_key_id",
    )
    others = {
        "number": "1",
        "secret": "y" * 43,
        "key": "y",
        "token": "y",
        "uidb36": "2",
        "pk": "0",
        "door": "no-such-lab",
    }
    return {name: str(uuid.uuid4()) for name in names} | others


def kind(answer: Answer) -> str:
    """What an answer means, as the table says it."""
    if answer.status == 302:
        where = answer.headers["Location"]
        return "login" if where.startswith("/accounts/login/") else "own" if where == "/admin/" else "go"
    return "ok" if answer.status == 200 else str(answer.status)


def seen_by(answer: Answer) -> Answer:
    """The answer without what is random or repeats the address that was asked for."""
    dropped = {"Set-Cookie", "Content-Length"}
    headers = {name: ID.sub("ID", value) for name, value in answer.headers.items() if name not in dropped}
    return Answer(answer.status, headers, TOKEN.sub(b"", answer.body))


ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": ?"\w+"')
