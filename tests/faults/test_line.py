"""The line between the portal and Align is ill; an hour later all is as it should be."""

from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import pytest
from django.db import connections

from connector.intake import fetch, resume, staging
from connector.itero import Download
from connector.itero.errors import Truncated
from connector.orders.case import explain
from connector.orders.models import RevisionState
from tests.align import words_on
from tests.faults.lines import DOWNLOAD, OpenLine, Reach, impatient
from tests.faults.recovery import recover
from tests.faults.verdict import Verdict
from tests.intake.desk import work
from tests.line.toxics import (
    Bandwidth,
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

ANY = "any reason that has words"
ONCE = {"second_download": "gone"}


@dataclass
class Ill:
    """The toxics on one download, how Align is, and the reason that the lab reads meanwhile ('': none is needed)."""

    toxics: list[Toxic]
    reason: str
    align: dict[str, Any] = field(default_factory=dict)

    @property
    def may_be_told(self) -> bool:
        """Whether Align may believe that it has given out what never arrived: once, and no second time."""
        given_once = "second_download" in self.align
        at = next((toxic.at for toxic in self.toxics if isinstance(toxic, ResetPeer) and toxic.at is not None), 0.5)
        nothing_begun = any(isinstance(toxic, LimitData) for toxic in self.toxics) or at == 0
        return given_once and ("no_range" in self.align or nothing_begun or at > 0.9)


def ill(toxic: Toxic, reason: str = "", *more: Toxic, **align: Any) -> Ill:
    for one in (toxic, *more):
        one.on = DOWNLOAD
        one.times = one.times or 1
    return Ill([toxic, *more], reason, align)


RESETS: dict[str, Ill] = {
    f"reset at {at:.0%} {words}": ill(ResetPeer(at=at), "connection_lost", **align)
    for at in (0.0, 0.25, 0.5, 0.99)
    for words, align in (
        ("with Range, given once", ONCE),
        ("without Range", {"no_range": True}),
        ("without Range, given once", {"no_range": True, **ONCE}),
    )
}
ILLNESSES: dict[str, Ill] = {
    "latency and jitter": ill(Latency(seconds=0.1, jitter=0.05)),
    "low bandwidth": ill(Bandwidth(rate=250_000)),
    "sliced into small pieces": ill(Slicer(size=700)),
    "sliced, slow and reset in one": ill(
        Slicer(size=4000), "connection_lost", Bandwidth(rate=400_000), ResetPeer(at=0.5), **ONCE
    ),
    "slow close": ill(SlowClose(seconds=0.7)),
    "reset before the answer": ill(ResetPeer(), "connection_lost"),
    **RESETS,
    "reset three times, given once": ill(ResetPeer(at=0.3, times=3), "connection_lost", **ONCE),
    "cut after the head": ill(LimitData(count=300), "truncated", **ONCE),
    "truncated, right length declared": ill(Truncate(at=0.6), "truncated", **ONCE),
    "truncated, shorter length declared": ill(Truncate(at=0.6, admit=True), "truncated"),
    "one byte a second in the body": ill(Bandwidth(rate=1), "too_slow", consume_at="last", **ONCE),
    "one byte a second in the head": ill(Bandwidth(rate=1, head=True), "too_slow"),
    "a trickle after half of it": ill(Slicer(size=65_536), "timeout", Timeout(at=0.5), **ONCE),
    "black hole in the head": ill(Timeout(), "timeout"),
    "black hole in the body": ill(Timeout(at=0.25), "timeout", **ONCE),
    "bytes behind the end": ill(
        Rewrite(change=lambda answer: answer.head_declaring(len(answer.body) - 500) + answer.body), "bad_answer"
    ),
    "a flipped bit in the middle": ill(Rewrite(change=lambda a: a.with_body(flipped(a.body))), ANY),
}
IN_THE_CUT = {"reset at 50% with Range, given once", "one byte a second in the head"}


def flipped(body: bytes) -> bytes:
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]


def two_arrive(reach: Reach) -> str:
    """Two scans; the first one meets what is ill. Its order id."""
    first, _ = reach.desk.arrives(), reach.desk.arrives()
    reach.desk.poll()
    work(forgiving=True)
    return first


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.cut) if name in IN_THE_CUT else name for name in ILLNESSES]
)
@pytest.mark.fault_case("line", "download: {name}")
def test_a_download_over_an_ill_line(open_line: OpenLine, verdict: Verdict, name: str) -> None:
    case = ILLNESSES[name]
    reach = open_line(**case.align)
    reach.line.add(*case.toxics)
    first = two_arrive(reach)
    revision = reach.desk.revision(first)
    if case.reason:
        assert revision.state == RevisionState.RETRY
        assert case.reason in (revision.reason, ANY)
        assert explain(revision.reason) in words_on(reach.desk.browser, f"/cases/{revision.order_id}")
    else:
        assert revision.has_files
    recover(reach.desk)
    found = verdict(reach.desk)
    assert found.explained == 0 or case.may_be_told, found.notes


@pytest.mark.cut
@pytest.mark.fault_case("line", "download without resuming, given once", control=True)
def test_control_without_resuming(open_line: OpenLine, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the same case stores whole is then only told of."""
    monkeypatch.setattr(resume, "remember", lambda part, etag: None)
    reach = open_line(**ONCE)
    reach.line.add(ResetPeer(on=DOWNLOAD, times=1, at=0.5))
    two_arrive(reach)
    recover(reach.desk)
    found = verdict(reach.desk)
    verdict.row.found.count("lost", "with resuming it is stored", found.explained)


@pytest.mark.fault_case("line", "download without a check of length and zip", control=True)
def test_control_without_checks(open_line: OpenLine, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    def unchecked(download: Download, buffer: memoryview, *, got_on: bool) -> int:
        try:
            count = download.readinto(buffer)
        except Truncated:
            count = 0
        download.size = None
        return count

    monkeypatch.setattr(staging, "_read", unchecked)
    monkeypatch.setattr(staging, "check_in_child", lambda path, **_: None)
    reach = open_line()
    reach.line.add(Truncate(on=DOWNLOAD, times=1, at=0.6))
    two_arrive(reach)
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.fault_case("line", "one byte a second without the least progress, for 8 s", control=True)
def test_control_without_the_least_progress(open_line: OpenLine, verdict: Verdict, settings: Any) -> None:
    """The read time-out is content with a byte now and then, and the lease is renewed: a worker hangs."""
    reach = open_line()
    impatient(settings, PROGRESS_BYTES=0)
    reach.line.add(Bandwidth(on=DOWNLOAD, rate=1))
    reach.desk.arrives()
    reach.desk.poll()
    hanging = Thread(target=worker_turn, args=(reach,))
    hanging.start()
    try:
        hanging.join(8)
        assert hanging.is_alive()
        verdict(reach.desk)
    finally:
        reach.line.down()
        hanging.join()


def worker_turn(reach: Reach) -> None:
    try:
        fetch.fetch_next(reach.desk.lab.pk, reach.desk.pairing.pk)
    finally:
        connections.close_all()
