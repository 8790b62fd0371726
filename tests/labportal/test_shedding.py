"""Too many pushes at once are refused at once, in words a machine understands; nothing else is."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from labportal.running.web import gunicorn
from labportal.shedding import PUSHES_AT_ONCE, AtMost

MOST = 2


class Slow:
    """An application whose answers wait until they are let go."""

    def __init__(self):
        self.go, self.inside = threading.Event(), threading.Semaphore(0)

    def __call__(self, environ, start_response):
        self.inside.release()
        if environ["PATH_INFO"] == "/notify/broken":
            raise RuntimeError
        self.go.wait(10)
        start_response("202 Accepted", [])
        return [b""]


def ask(gate, path):
    said = []
    body = gate({"PATH_INFO": path}, lambda status, headers: said.append((status, dict(headers))))
    return *said[0], b"".join(body)


@pytest.fixture
def slow():
    return Slow()


@pytest.fixture
def full(slow):
    """A gate whose places are all taken."""
    gate = AtMost(slow, prefix="/notify/", most=MOST)
    with ThreadPoolExecutor(MOST) as pool:
        taken = [pool.submit(ask, gate, "/notify/x") for _ in range(MOST)]
        for _ in taken:
            assert slow.inside.acquire(timeout=10)
        yield gate
        slow.go.set()
        assert [each.result(10)[0] for each in taken] == ["202 Accepted"] * MOST


def test_one_more_push_is_refused_at_once_and_told_when_to_come_again(full):
    status, headers, body = ask(full, "/notify/x")
    assert status == "503 Service Unavailable"
    assert 5 <= int(headers["Retry-After"]) <= 30
    assert (body, headers["Content-Length"]) == (b'{"error": "busy"}', str(len(body)))


def test_a_page_is_never_refused(full, slow):
    slow.go.set()
    assert ask(full, "/cases/x")[0] == "202 Accepted"


def test_a_place_is_free_again_after_an_answer_and_after_an_error(slow):
    gate = AtMost(slow, prefix="/notify/", most=1)
    slow.go.set()
    for _ in range(3):
        assert ask(gate, "/notify/x")[0] == "202 Accepted"
        with pytest.raises(RuntimeError):
            ask(gate, "/notify/broken")


def test_half_of_the_threads_are_left_to_people():
    command = gunicorn(8000)
    assert 0 < PUSHES_AT_ONCE <= int(command[command.index("--threads") + 1]) / 2
