"""A key's requests are counted one by one, whatever the number of threads and processes that answer them."""

import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import time

import pytest
import requests
from django.core.cache import cache
from django.db import connection, connections
from django.test import Client

from benchmarks.notifications import web
from connector.lms import authentication
from connector.lms.authentication import MINUTE, KeyThrottle
from connector.lms.models import ApiKey
from connector.lms.services import make_key, revoke_key
from connector.orders import guard, soundness
from connector.orders.models import Revision
from connector.orders.soundness import Look
from labportal.counting import count
from labportal.labs.tenancy import in_lab
from tests.cast import PASSWORD, Cast
from tests.intake.test_storm import environment  # noqa: F401 - a fixture
from tests.lms.conftest import with_key
from tests.lms.stored import stored_case

ALLOWED, MORE, AT_ONCE = 40, 50, 15


@pytest.fixture
def made(committed: None, cast: Cast) -> tuple[ApiKey, str]:
    return make_key(lab=cast.lab_a, name="LMS", by=None)


@pytest.fixture
def text(made: tuple[ApiKey, str]) -> str:
    return made[1]


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it falls into one minute of the clock."""
    monkeypatch.setattr(authentication, "time", lambda: 1_000_000_030.0)
    monkeypatch.setattr(KeyThrottle, "per_minute", ALLOWED)


def statuses(text: str) -> list[int]:
    """Of ALLOWED + MORE requests, AT_ONCE at a time."""
    found: list[int] = []
    gate = threading.Barrier(AT_ONCE)

    def ask() -> None:
        try:
            gate.wait(30)
            for _ in range((ALLOWED + MORE) // AT_ONCE):
                answer = Client(headers={"Authorization": f"Bearer {text}"}).get("/api/v1/orders")
                found.append(answer.status_code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == ALLOWED + MORE
    return found


def test_requests_of_the_same_moment_do_not_slip_through(text: str, one_minute: None) -> None:
    found = statuses(text)
    assert (found.count(200), found.count(429)) == (ALLOWED, MORE)


def test_control_a_count_that_is_read_and_then_written_lets_more_through(
    text: str, one_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_then_write(name: str, *, seconds: int) -> int:
        counted: int = cache.get(name, 0) + 1
        cache.set(name, counted, timeout=seconds)
        return counted

    monkeypatch.setattr(authentication, "count", read_then_write)
    assert statuses(text).count(200) > ALLOWED


def test_a_count_is_its_names_own(committed: None) -> None:
    assert [count("a", seconds=60), count("a", seconds=60), count("b", seconds=60)] == [1, 2, 1]


# --- while a zip is hashed


def test_a_zip_that_is_hashed_holds_up_neither_the_keys_other_requests_nor_its_end(
    made: tuple[ApiKey, str], cast: Cast, scans_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, (key, text) = stored_case(cast.lab_a, tmp_path), made
    hashing, go_on, found = threading.Event(), threading.Event(), list[int]()

    def look(revision: Revision) -> Look:
        hashing.set()
        assert go_on.wait(60)
        return soundness.look(revision)

    def take() -> None:
        try:
            found.append(Client(headers={"Authorization": f"Bearer {text}"}).get(case.zip_url).status_code)
        finally:
            connections.close_all()

    monkeypatch.setattr(guard, "look", look)
    taking = threading.Thread(target=take)
    taking.start()
    try:
        assert hashing.wait(60)
        with in_lab(cast.lab_a.pk), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '20s'")
            assert with_key(text)("/api/v1/orders").status_code == 200
            revoke_key(key=key)
        assert with_key(text)("/api/v1/orders").status_code == 401
    finally:
        go_on.set()
        taking.join()
    assert found == [200]


def test_files_count_as_all_requests_do(
    made: tuple[ApiKey, str], cast: Cast, scans_dir: Path, tmp_path: Path, one_minute: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(KeyThrottle, "per_minute", 2)
    case, ask = stored_case(cast.lab_a, tmp_path), with_key(made[1])
    assert [ask(path).status_code for path in (case.zip_url, "/api/v1/orders", case.zip_url)] == [200, 200, 429]


# --- two web processes


@pytest.fixture
def two(text: str, environment: dict[str, str]) -> Iterator[list[str]]:  # noqa: F811 - the fixture
    """The addresses of two of them, each with processes of its own."""
    with ExitStack() as running:
        yield [f"http://localhost:{running.enter_context(web(environment))[0]}" for _ in range(2)]


def test_a_keys_requests_count_at_both(two: list[str], made: tuple[ApiKey, str]) -> None:
    def status(at: str) -> int:
        return requests.get(
            f"{at}/api/v1/orders", headers={"Authorization": f"Bearer {made[1]}"}, timeout=30
        ).status_code

    now = int(time()) // MINUTE
    for minute in (now, now + 1, now + 2):  # whichever it is by then
        for _ in range(KeyThrottle.per_minute - 2):
            count(f"lms-rate:{made[0].pk}:{minute}", seconds=300)
    assert [status(two[0]), status(two[1]), status(two[0]), status(two[1])] == [200, 200, 429, 429]


def test_guesses_at_one_count_at_the_other(two: list[str], cast: Cast) -> None:
    def said(at: str, password: str) -> str:
        with requests.Session() as browser:
            page = browser.get(f"{at}/accounts/login/", timeout=30).text
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
            assert token
            form = {"login": cast.anna.email, "password": password, "csrfmiddlewaretoken": token[1]}
            return browser.post(f"{at}/accounts/login/", form, headers={"Referer": at}, timeout=30).text

    answers = [said(two[0], f"guess{number}") for number in range(5)]
    assert not [answer for answer in answers if "Too many failed login attempts" in answer]
    assert "Too many failed login attempts" in said(two[1], PASSWORD)
