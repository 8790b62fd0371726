"""Mutated answers of Align: a value or a typed error, on the wire, in the tables, and while connecting."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.intake.record import Recorded, UnstorableOrder, record_order
from connector.itero import Client, Credentials, Endpoints, IteroError, Server
from connector.pairing import vendor
from tests.align import start_connecting, words_on
from tests.fuzz import answers
from tests.fuzz.byte_mutations import mutate
from tests.itero.scripted_server import Asked, Reply, Script, ScriptedServer, reply
from tests.orders.make import make_pairing

SEED = 4


@pytest.fixture
def server() -> Iterator[Script]:
    running = ScriptedServer()
    yield running.script
    running.stop()


def test_a_mutated_answer_is_a_value_or_a_typed_error_that_tells_nothing() -> None:
    verdicts, findings = answers.run(SEED, 0, 4000)
    assert findings == []
    assert {call for call, verdict in verdicts if verdict == "read"} == set(answers.SEEDS)
    assert {"bad_answer", "bad_notification", "host_not_allowed"} <= {verdict for _, verdict in verdicts}


def test_a_reader_that_lets_a_raw_exception_through_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.itero.order_reader._items", lambda item, path: item["treatments"])
    assert answers.run(SEED, 0, 400)[1]


def test_mutated_bytes_on_the_wire_are_a_value_or_a_typed_error(server: Script) -> None:
    places = Server(oauth_base=server.url, base_url=server.url, login_page=server.url)
    client = Client(
        answers.Reader().profile, places, Credentials("a", "b"), redirect_uri="https://lab.example/back",
        allow_loopback=True, connect_timeout=2, read_timeout=0.3,
    )  # fmt: skip
    endpoints = Endpoints("", {"accounts": f"{server.url}/a"})
    ended: Counter[str] = Counter()
    for number in range(120):
        server.will(_hurt(Random(f"wire {SEED}:{number}")))
        try:
            client.get_accounts(endpoints, access_token="a")
            ended["read"] += 1
        except IteroError as error:
            assert answers.CANARY not in repr(error)  # noqa: PT017 - a mutant may also be read
            ended[error.code] += 1
    assert len(ended) >= 4, ended


def _hurt(rng: Random) -> Reply:
    """A whole HTTP answer with its bytes hurt, mostly in the headers."""
    whole = reply(
        rng.choice((200, 200, 301, 429, 500)), answers.mutated(rng, "accounts"), Content_Type="text/json"
    ).sent
    if rng.random() < 0.5:
        return Reply(mutate(rng, whole[:90], whole) + whole[90:])
    return Reply(mutate(rng, whole, whole))


@pytest.mark.django_db
def test_a_mutated_order_is_recorded_or_refused_as_one(cast) -> None:
    pairing, reader, ended = make_pairing(cast.lab_a), answers.Reader(), Counter[str]()
    for number in range(150):
        try:
            order = reader.read("order", answers.mutated(Random(f"order {SEED}:{number}"), "order"))
            ended[type(record_order(pairing, order, source="poll")).__name__] += 1
        except (IteroError, UnstorableOrder) as error:
            assert answers.CANARY not in str(error)  # noqa: PT017 - as above
            ended[error.code] += 1
    assert ended[Recorded.__name__] > 30, ended
    assert ended["bad_answer"] > 30, ended


@pytest.fixture
def odd_align(server: Script, settings) -> Iterator[Script]:
    """An Align whose answers a test chooses; the portal's settings point at it."""
    settings.ITERO_OAUTH_BASE = settings.ITERO_BASE_URL = server.url
    settings.ITERO_LOGIN_PAGE = f"{server.url}/login"
    settings.ITERO_CLIENT_ID, settings.ITERO_CLIENT_SECRET = "lab-portal", "secret"
    vendor.client.cache_clear()
    yield server
    vendor.client.cache_clear()


def _answers(server: Script, rng: Random, hurt: str) -> None:
    """Every call of connecting answers well, but one."""
    seeds = json.loads(json.dumps(answers.SEEDS).replace(answers.BASE, server.url))
    seeds["discovery"]["endpoints"] |= {name: f"{server.url}/{name}" for name in ("accounts", "pair", "orders")}

    def answer(asked: Asked) -> Reply:
        path = asked.line.split()[1]
        call = next((call for word, call in CALLS.items() if word in path), "tokens")
        body = json.dumps(seeds[call]).encode()
        if call == hurt:
            body = answers.mutated(rng, call).replace(answers.BASE.encode(), server.url.encode())
        return reply(200, body, Content_Type="application/json")

    server.otherwise = answer


CALLS = {"discovery": "discovery", "accounts": "accounts", "pair": "tokens"}


@pytest.mark.parametrize("hurt", ["tokens", "discovery", "accounts"])
def test_connecting_with_mutated_answers_ends_in_words(committed, cast, client_of, odd_align, hurt) -> None:
    anna, ended = client_of(cast.anna), Counter[str]()
    for number in range(25):
        _answers(odd_align, Random(f"connect {SEED}:{hurt}:{number}"), hurt)
        state = parse_qs(urlsplit(start_connecting(anna)).query)["state"][0]
        back = anna.get("/connections/callback", {"state": state, "code": "x"})
        assert back.status_code == 302
        if "/accounts/" in back["Location"]:
            page = anna.get(back["Location"])
            assert page.status_code == 200
            answer = anna.post(back["Location"], {"account": "479", "fetch_mode": "full"})
            assert answer.status_code == 302
        words = words_on(anna)
        ended["is connected" if "is connected" in words else "refused"] += 1
    assert ended["refused"], ended


@pytest.mark.parametrize(("field", "value"), [("name", "x" * 20_000), ("accountId", "9" * 90), ("region", "r" * 300)])
def test_an_account_with_values_longer_than_any_can_be_connected_or_is_refused(
    committed, cast, client_of, odd_align, field, value, monkeypatch
) -> None:
    anna = client_of(cast.anna)
    account = {"accountId": "479", "name": "Lab", "type": "Lab"} | ({field: value} if field != "region" else {})
    monkeypatch.setitem(answers.SEEDS, "accounts", {"accounts": [account]})
    if field == "region":
        monkeypatch.setitem(answers.SEEDS, "discovery", answers.SEEDS["discovery"] | {"region": value})
    _answers(odd_align, Random(0), "")
    state = parse_qs(urlsplit(start_connecting(anna)).query)["state"][0]
    back = anna.get("/connections/callback", {"state": state, "code": "x"})
    assert back.status_code == 302
    if "/accounts/" in back["Location"]:
        anna.get(back["Location"])
        assert anna.post(back["Location"], {"account": account["accountId"], "fetch_mode": "full"}).status_code == 302
    assert ("is connected" in words_on(anna)) == (field != "accountId")


QUERIES = (
    "", "state", "state=", "code=x", "state=%00", "state=%ED%A0%80&code=x", "state[]=a&code=b", "error=access_denied",
    "state={state}&state={state}x", "state={state}%20&code=x", "state={state}&error=access_denied&code=x",
    "state={state}", "state={state}&code=", "state={state}&error=%3Cscript%3Ealert(1)%3C/script%3E",
    "state={state}&code=%0D%0ASet-Cookie:%20a=b", "code=x&state=" + "x" * 7000, "state=%F0%9F%A6%B7&code=x",
)  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_a_callback_that_is_abused_is_answered_in_words_and_no_code_is_exchanged_for_it(
    committed, cast, client_of, odd_align, query
) -> None:
    anna = client_of(cast.anna)
    state = parse_qs(urlsplit(start_connecting(anna)).query)["state"][0]
    _answers(odd_align, Random(0), "")
    back = anna.get(f"/connections/callback?{query.replace('{state}', state)}")
    assert back.status_code == 302
    assert "alert(1)" not in words_on(anna)
    exchanged = [asked for asked in odd_align.asked if b"grant_type=authorization_code" in asked.body]
    assert len(exchanged) == ("Set-Cookie" in query)
    assert not any(b"\r\n" in asked.body for asked in exchanged)


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_a_callback_by_another_verb_is_not_one(committed, cast, client_of, odd_align, method) -> None:
    anna = client_of(cast.anna)
    assert getattr(anna, method)("/connections/callback?state=x&code=y").status_code == 405
