"""Calls to a lab's provider: one that drips ends in time, and many slow ones leave the threads to the others."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from labportal.signin import in_time, outgoing
from labportal.signin.outgoing import GuardedSession, Refused
from tests.orders.pages import text_of
from tests.signin import conftest
from tests.signin.test_company_setup import enter

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TLS_RECORD = b"\x16\x03\x03\x3f\xff"
LIMIT, SLACK = 1.0, 1.5
Serve = Callable[[bytes], int]


@pytest.fixture
def dripping() -> Iterator[Serve]:
    """Listens on loopback, says the beginning at once and then a byte each tenth of a second for ten seconds."""
    over, threads, ears = threading.Event(), [], []

    def drip(line: socket.socket, beginning: bytes) -> None:
        with line:
            try:
                line.sendall(beginning)
                for _ in range(100):
                    if over.wait(0.1):
                        return
                    line.sendall(b"x")
            except OSError:
                return

    def listen(ear: socket.socket, beginning: bytes) -> None:
        while not over.is_set():
            try:
                line, _ = ear.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=drip, args=(line, beginning)))
            threads[-1].start()

    def serve(beginning: bytes) -> int:
        ears.append(socket.create_server(("127.0.0.1", 0)))
        threads.append(threading.Thread(target=listen, args=(ears[-1], beginning)))
        threads[-1].start()
        return int(ears[-1].getsockname()[1])

    yield serve
    over.set()
    for ear in ears:
        ear.shutdown(socket.SHUT_RDWR)
        ear.close()
    for thread in threads:
        thread.join()


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "TIMEOUT", (LIMIT, LIMIT))


@pytest.mark.parametrize(
    ("scheme", "beginning"),
    [
        ("http", b""),
        ("http", HEAD + b"X-Long: "),
        ("http", HEAD + b"Content-Length: 500000\r\n\r\n"),
        ("http", HEAD + b"\r\n"),
        ("http", HEAD + b"Transfer-Encoding: chunked\r\n\r\n7000\r\n"),
        ("https", TLS_RECORD),
    ],
    ids=["first line", "head", "body", "body without a length", "chunk", "handshake"],
)
def test_an_answer_that_drips_ends_in_time(dripping, short, scheme, beginning):
    begun = time.monotonic()
    with pytest.raises(Refused, match="too_slow"):
        GuardedSession().get(f"{scheme}://127.0.0.1:{dripping(beginning)}/")
    assert LIMIT / 2 < time.monotonic() - begun < LIMIT + SLACK


def test_an_answer_in_time_is_whole(identity, short):
    answer = GuardedSession().get(f"{identity.url}/.well-known/openid-configuration")
    assert answer.json()["issuer"] == identity.url


def test_an_owner_is_told_that_the_provider_is_too_slow(cast, dripping, identity, short):
    port = dripping(HEAD + b"Content-Length: 500000\r\n\r\n")
    page = enter(conftest.log_in(cast.anna), identity, issuer=f"http://127.0.0.1:{port}")
    assert "What answers there takes too long." in text_of(page)


@pytest.fixture
def full(dripping: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All places are taken by calls to a slow provider."""
    monkeypatch.setattr(outgoing, "TIMEOUT", (3.0, 3.0))
    monkeypatch.setattr(in_time, "WAIT", 0.2)
    address = f"http://127.0.0.1:{dripping(b'')}/"
    with ThreadPoolExecutor(in_time.AT_ONCE) as pool:
        taken = [pool.submit(GuardedSession().get, address) for _ in range(in_time.AT_ONCE)]
        time.sleep(0.5)
        yield
        assert [type(each.exception(10)) for each in taken] == [Refused] * in_time.AT_ONCE


def test_one_more_call_is_refused_soon(full, identity):
    begun = time.monotonic()
    with pytest.raises(Refused, match="busy"):
        GuardedSession().get(identity.url)
    assert time.monotonic() - begun < 1


def test_who_signs_in_meanwhile_is_told_to_try_again(sign_on, full):
    answer = Client().post("/accounts/company/lab-a/", follow=True)
    assert "Your company's sign-in did not answer as it should. Try again" in text_of(answer)


def test_afterwards_there_is_room_again(dripping, identity, short):
    for _ in range(in_time.AT_ONCE + 1):
        with pytest.raises(Refused, match="too_slow"):
            GuardedSession().get(f"http://127.0.0.1:{dripping(b'')}/")
    assert GuardedSession().get(f"{identity.url}/.well-known/openid-configuration").ok
