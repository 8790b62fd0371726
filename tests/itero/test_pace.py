"""The least progress: a trickle ends by itself, a line that is merely slow does not."""

import time
from collections.abc import Iterator

import pytest

from connector import itero
from connector.itero import Asset, Client, Endpoints, Pace
from connector.itero.pace import Progress
from tests.itero.conftest import PATHS, MakeClient
from tests.itero.scripted_server import Script, reply
from tests.line.proxy import Proxy
from tests.line.toxics import Bandwidth, Latency, SlowClose

PACE = Pace(0.5, 2000)
ZIP = bytes(range(256)) * 40


@pytest.fixture
def line(server: Script) -> Iterator[Proxy]:
    server.otherwise = lambda asked: reply(200, ZIP, Content_Type="application/zip")
    with Proxy(int(server.url.rpartition(":")[2])) as proxy:
        server.url = proxy.url  # so that the client's list of hosts names the proxy
        yield proxy


@pytest.fixture
def endpoints(line: Proxy) -> Endpoints:
    return Endpoints("eu", {name: line.url + path for name, path in PATHS.items()})


def fetch(client: Client, endpoints: Endpoints, *, pause: float = 0) -> bytes:
    got, buffer = b"", memoryview(bytearray(1000))
    with client.download_order(endpoints, access_token="a", order_id="1", asset=Asset.FULL) as download:
        while count := download.readinto(buffer):
            got += buffer[:count]
            time.sleep(pause)
    return got


@pytest.mark.parametrize("head", [False, True])
def test_a_trickle_ends_although_no_single_byte_comes_late(
    make_client: MakeClient, line: Proxy, endpoints: Endpoints, head: bool
) -> None:
    line.add(Bandwidth(rate=1000, head=head))
    begun = time.monotonic()
    with pytest.raises(itero.TooSlow) as caught:
        fetch(make_client(pace=PACE), endpoints)
    assert 0.4 < time.monotonic() - begun < 3
    assert caught.value.retry


def test_the_same_trickle_would_go_on_without_the_rule(
    make_client: MakeClient, line: Proxy, endpoints: Endpoints
) -> None:
    """The control: the read time-out alone never ends it."""
    line.add(Bandwidth(rate=5000))
    assert fetch(make_client(pace=Pace(0.5, 0)), endpoints) == ZIP
    with pytest.raises(itero.TooSlow):
        fetch(make_client(pace=Pace(0.5, 50_000)), endpoints)


def test_a_slow_line_that_keeps_the_pace_is_left_alone(
    make_client: MakeClient, line: Proxy, endpoints: Endpoints
) -> None:
    line.add(Bandwidth(rate=8000))
    assert fetch(make_client(pace=PACE), endpoints) == ZIP


def test_a_list_that_trickles_ends_too(make_client: MakeClient, line: Proxy, endpoints: Endpoints) -> None:
    line.add(Bandwidth(rate=500))
    with pytest.raises(itero.TooSlow):
        list(make_client(pace=PACE).get_orders(endpoints, access_token="a"))


def test_time_until_the_first_byte_is_the_read_time_outs(
    make_client: MakeClient, line: Proxy, endpoints: Endpoints
) -> None:
    line.add(Latency(seconds=0.4))  # the head, and once more the body: together longer than the window
    assert fetch(make_client(pace=PACE), endpoints) == ZIP


def test_our_own_slow_disk_is_not_the_lines_fault(make_client: MakeClient, line: Proxy, endpoints: Endpoints) -> None:
    assert fetch(make_client(pace=Pace(0.3, 10_000)), endpoints, pause=0.1) == ZIP


def test_a_complete_answer_whose_connection_stays_open_is_complete(
    make_client: MakeClient, line: Proxy, endpoints: Endpoints
) -> None:
    line.add(SlowClose(seconds=1))
    assert fetch(make_client(pace=Pace(0.2, 50_000)), endpoints) == ZIP


def trickle(progress: Progress, seconds: int) -> None:
    for _ in range(seconds):
        progress.note(1.0, 1)


def test_a_line_that_was_fast_and_then_trickles_ends_within_a_window_and_a_bit() -> None:
    progress = Progress(Pace(60, 65536))
    for _ in range(1000):
        progress.note(0.01, 100_000)
    trickle(progress, 55)
    with pytest.raises(itero.TooSlow):
        trickle(progress, 10)


def test_the_window_keeps_few_marks_however_long_a_download_lasts() -> None:
    progress = Progress(Pace(60, 1))
    for _ in range(100_000):
        progress.note(0.01, 10)
    assert len(progress._marks) < 30
