"""`make bench` fails when its storm was none, when something was lost, and when the pages were no longer usable."""

from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from benchmarks.bounds import SLOWER_50, SLOWER_95, shortcomings
from benchmarks.notifications import PageReader, Storm

GOOD = Storm(
    sent=10_000, distinct=1000, sending_seconds=10.0, seconds=47.0, statuses={"202": 10_000, "503": 5726},
    without_retry_after=0, later=5527, given_up=0, distinct_accepted=1000, rows=1000, lost=0, accepted_ms=(35, 92),
    refused_ms=(32, 85), idle_ms=(50, 70), stormy_ms=(50 * SLOWER_50, 70 * SLOWER_95), pages=280, failed_pages=0,
)  # fmt: skip

SPOILT: dict[str, dict[str, Any]] = {
    "the load generator sent 909 a second, not 1000": {"sending_seconds": 11.0},
    "the load generator sent 900 a second, not 1000": {"sent": 9000},
    "the load generator sent 0 a second, not 1000": {"sent": 0, "sending_seconds": 0.0},
    "1 pushes were answered 202 and are not there": {"lost": 1},
    "999 of 1000 RxIDs were accepted": {"distinct_accepted": 999},
    "1 refusals did not say when to come again": {"without_retry_after": 1},
    "1 pages failed": {"failed_pages": 1},
    "no page was read": {"pages": 0},
    "the median page was 4.2 × slower, 4 × at most": {"stormy_ms": (210, 300)},
    "the slowest twentieth was 8.6 × slower, 8 × at most": {"stormy_ms": (100, 600)},
}


def test_a_storm_that_was_weathered_has_no_shortcoming() -> None:
    assert shortcomings(GOOD, 1000) == []
    assert shortcomings(replace(GOOD, sending_seconds=10.5), 1000) == [], "a twentieth below the rate is still a storm"


@pytest.mark.parametrize("words", SPOILT)
def test_a_storm_outside_of_its_bounds_says_which(words: str) -> None:
    assert shortcomings(replace(GOOD, **SPOILT[words]), 1000) == [words]


class Broken(BaseHTTPRequestHandler):
    """Answers 500, then hangs up without a word."""

    answered = 0

    def do_GET(self) -> None:
        Broken.answered += 1
        if Broken.answered % 2:
            self.send_error(500)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


def test_a_page_that_fails_or_never_comes_is_counted_and_the_next_one_is_read() -> None:
    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        reader = PageReader(f"http://127.0.0.1:{server.server_port}/", {})
        read = reader.read_for(0.9)
        reader.session.close()
        server.shutdown()
    assert len(read) >= 3
    assert reader.failed == len(read)
