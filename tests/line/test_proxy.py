"""The ill line itself: each toxic does what its name says, and without one every byte comes through."""

import http.client
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.itero.scripted_server import Script, ScriptedServer, reply
from tests.line.answers import scripted
from tests.line.blackhole import black_hole
from tests.line.proxy import Proxy
from tests.line.toxics import (
    Bandwidth,
    Instead,
    Latency,
    LimitData,
    ResetPeer,
    Rewrite,
    Slicer,
    SlowClose,
    Timeout,
    Toxic,
    Truncate,
)

BODY = bytes(range(256)) * 400


@pytest.fixture
def server() -> Iterator[Script]:
    running = ScriptedServer()
    running.script.otherwise = lambda asked: reply(200, BODY)
    yield running.script
    running.stop()


@pytest.fixture
def line(server: Script) -> Iterator[Proxy]:
    with Proxy(int(server.url.rpartition(":")[2])) as proxy:
        yield proxy


def get(line: Proxy, path: str = "/file") -> bytes:
    return requests.get(line.url + path, timeout=5).content


def received(line: Proxy, path: str = "/file", *, wait: float = 5) -> tuple[bytes, str]:
    """The body's bytes that arrived, and how the stream ended: whole, short, reset or silent."""
    connection = http.client.HTTPConnection("127.0.0.1", int(line.url.rpartition(":")[2]), timeout=wait)
    body = b""
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        while piece := answer.read1(4096):
            body += piece
        return body, "whole" if answer.length in (0, None) else "short"
    except ConnectionResetError:
        return body, "reset"
    except TimeoutError:
        return body, "silent"
    except http.client.HTTPException:
        return body, "short"
    finally:
        connection.close()


def test_a_healthy_line_passes_every_byte_and_writes_down_what_it_saw(line: Proxy, server: Script) -> None:
    assert get(line) == BODY
    (seen,) = line.exchanges
    assert (seen.request_line, seen.status) == ("GET /file HTTP/1.1", 200)
    assert seen.sent > len(BODY)
    assert server.asked[0].headers["host"] == line.url.removeprefix("http://")


def test_a_body_of_the_request_is_passed_on_too(line: Proxy, server: Script) -> None:
    requests.post(line.url + "/file", data=BODY, timeout=5)
    assert server.asked[0].body == BODY


def test_latency_delays_the_first_byte(line: Proxy) -> None:
    line.add(Latency(seconds=0.3, jitter=0.05))
    begun = time.monotonic()
    assert get(line) == BODY
    assert time.monotonic() - begun > 0.25


def test_bandwidth_bounds_the_bytes_a_second(line: Proxy) -> None:
    line.add(Bandwidth(rate=len(BODY)))
    begun = time.monotonic()
    assert get(line) == BODY
    assert 0.8 < time.monotonic() - begun < 3


def test_a_sliced_answer_is_the_same_answer(line: Proxy) -> None:
    line.add(Slicer(size=977))
    assert get(line) == BODY


@pytest.mark.parametrize("at", [0.25, 0.5, 0.99])
def test_a_reset_comes_where_it_was_wanted(line: Proxy, at: float) -> None:
    line.add(ResetPeer(at=at))
    assert received(line) == (BODY[: int(len(BODY) * at)], "reset")


def test_a_reset_before_the_answer_comes_after_the_server_has_acted(line: Proxy, server: Script) -> None:
    line.add(ResetPeer())
    assert received(line) == (b"", "reset")
    assert len(server.asked) == 1


def test_limited_data_ends_in_the_middle_in_the_ordinary_way(line: Proxy) -> None:
    line.add(LimitData(count=1000))
    body, end = received(line)
    assert end == "short"
    assert 0 < len(body) < 1000
    assert BODY.startswith(body)


def test_a_truncated_answer_is_short_of_its_declared_length(line: Proxy) -> None:
    line.add(Truncate(at=0.5))
    assert received(line) == (BODY[: len(BODY) // 2], "short")


def test_a_truncated_answer_that_declares_its_new_length_looks_whole(line: Proxy) -> None:
    line.add(Truncate(at=0.5, admit=True))
    assert received(line) == (BODY[: len(BODY) // 2], "whole")


@pytest.mark.parametrize("at", [None, 0.5])
def test_a_black_hole_keeps_the_connection_and_says_nothing_more(line: Proxy, at: float | None) -> None:
    line.add(Timeout(at=at))
    assert received(line, wait=0.3) == (BODY[: int(len(BODY) * (at or 0))], "silent")


def test_a_slow_close_holds_the_end_back(line: Proxy) -> None:
    line.add(SlowClose(seconds=0.3))
    with socket.create_connection(("127.0.0.1", int(line.url.rpartition(":")[2])), 5) as raw:
        begun = time.monotonic()
        raw.sendall(b"GET /file HTTP/1.1\r\nHost: x\r\n\r\n")
        while raw.recv(65536):
            pass
        assert time.monotonic() - begun > 0.25


def test_a_rewriting_gateway_changes_the_body_and_its_length(line: Proxy) -> None:
    line.add(Rewrite(change=lambda answer: answer.with_body(answer.body[:5], "X-Gateway: ill")))
    answer = requests.get(line.url, timeout=5)
    assert (answer.content, answer.headers["X-Gateway"]) == (BODY[:5], "ill")


def test_a_gateway_may_answer_something_else_altogether(line: Proxy) -> None:
    line.add(Rewrite(change=lambda answer: scripted(503, b"", "Retry-After: 7")))
    answer = requests.get(line.url, timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")


def test_a_gateway_that_answers_by_itself_asks_nobody(line: Proxy, server: Script) -> None:
    line.add(Instead(answer=scripted(503, b"later"), times=1))
    answer = requests.post(line.url, data=BODY, timeout=5)
    assert (answer.status_code, answer.content) == (503, b"later")
    assert server.asked == []
    assert get(line) == BODY


def test_down_refuses_connections_and_up_takes_them_again_on_the_same_port(line: Proxy) -> None:
    before = line.url
    line.down()
    with pytest.raises(requests.ConnectionError):
        get(line)
    line.up()
    assert line.url == before
    assert get(line) == BODY


def test_down_resets_what_is_under_way(line: Proxy) -> None:
    line.add(Timeout(at=0.5))
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(received, line)
        while not (line.exchanges and line.exchanges[0].sent > len(BODY) // 2):
            time.sleep(0.01)
        line.down()
        assert running.result(5) == (BODY[: len(BODY) // 2], "reset")


def test_a_black_hole_takes_no_connection_and_refuses_none(line: Proxy) -> None:
    port = int(line.url.rpartition(":")[2])
    line.down()
    with black_hole(port), pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), 0.3)
    line.up()
    assert get(line) == BODY


def test_a_toxic_works_on_the_calls_it_is_meant_for_and_as_often_as_it_should(line: Proxy) -> None:
    line.add(ResetPeer(on="/file", skip=1, times=2))
    ends = [received(line, path)[1] for path in ("/other", "/file", "/file", "/other", "/file", "/file")]
    assert ends == ["whole", "whole", "reset", "whole", "reset", "whole"]


def test_toxics_work_one_behind_the_other_until_they_are_taken_away(line: Proxy) -> None:
    line.add(Slicer(size=1000), ResetPeer(at=0.5))
    assert received(line) == (BODY[: len(BODY) // 2], "reset")
    line.clear()
    assert received(line) == (BODY, "whole")


def test_a_toxic_of_no_kind_changes_nothing(line: Proxy) -> None:
    """The control of all of the above."""
    line.add(Toxic())
    assert received(line) == (BODY, "whole")


def test_the_most_connections_at_once_are_counted(line: Proxy) -> None:
    line.add(Latency(seconds=0.2))
    with ThreadPoolExecutor(5) as pool:
        assert all(body == BODY for body in pool.map(lambda _: get(line), range(5)))
    assert line.most_at_once() == 5
    assert get(line) == BODY
    assert line.most_at_once() == 5


def test_a_server_that_is_not_there_is_a_connection_that_just_ends(server: Script) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with Proxy(free) as line:
        assert received(line)[0] == b""
        assert line.exchanges[0].status == 0
