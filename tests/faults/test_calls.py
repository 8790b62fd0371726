"""Calls that bring no file break on their way: the list, the look-up, Discovery, the refresh, Pair."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from connector.itero.profile import ASSUMED
from connector.orders.models import RevisionState
from connector.pairing.models import State
from connector.pairing.words import connect_words, reason_words
from tests.align import come_back, let_pass, log_in, start_connecting, words_on
from tests.faults.lines import DISCOVERY, DOWNLOAD, LIST, LOOK_UP, PAIR, TOKEN, OpenLine, Reach
from tests.faults.recovery import recover
from tests.faults.verdict import Verdict
from tests.intake.desk import READY, forget_profile, work
from tests.line.blackhole import black_hole
from tests.line.toxics import Bandwidth, LimitData, ResetPeer, Timeout, Toxic, Truncate

BREAKS: dict[str, Callable[[str], Toxic]] = {
    "reset before the answer": lambda on: ResetPeer(on=on, times=1),
    "reset at 50%": lambda on: ResetPeer(on=on, times=1, at=0.5),
    "truncated": lambda on: Truncate(on=on, times=1, at=0.5),
    "truncated, shorter length declared": lambda on: Truncate(on=on, times=1, at=0.5, admit=True),
    "cut in the head": lambda on: LimitData(on=on, times=1, count=40),
    "one byte a second": lambda on: Bandwidth(on=on, times=1, rate=1),
    "black hole": lambda on: Timeout(on=on, times=1),
}
SOME = ("reset before the answer", "reset at 50%", "black hole")


def grant_grace(settings: Any, folder: Path) -> None:
    """The profile says that Align answers a used refresh token once more for a while."""
    own = folder / "graceful.toml"
    own.write_text(ASSUMED.read_text().replace("refresh_grace = false", "refresh_grace = true"))
    settings.ITERO_PROFILE = str(own)
    forget_profile()


def pushed(reach: Reach) -> str:
    """A scan that stands on no list: the push alone tells of it. The order id."""
    order_id = reach.desk.in_stock["normal"].pop(0)
    reach.desk.align.tell(f"orders/{order_id}/status", {"status": READY})
    assert reach.desk.push(order_id) == 202
    return order_id


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.fault_case("line", "list: {name}")
def test_the_list_breaks(open_line: OpenLine, verdict: Verdict, name: str) -> None:
    reach = open_line()
    reach.line.add(BREAKS[name](LIST))
    reach.desk.arrives()
    run = reach.desk.poll()
    assert run.reason
    words = words_on(reach.desk.browser)
    assert reason_words(run.reason) in words
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.fault_case("line", "look-up: {name}")
def test_the_look_up_breaks(open_line: OpenLine, verdict: Verdict, name: str) -> None:
    reach = open_line()
    reach.line.add(BREAKS[name](LOOK_UP))
    pushed(reach)
    work(forgiving=True)
    assert reach.desk.notifications()[0].reason
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.fault_case("line", "Discovery before a refresh: {name}")
def test_discovery_breaks(open_line: OpenLine, verdict: Verdict, name: str) -> None:
    reach = open_line()
    let_pass(reach.desk.align, reach.desk.pairing)
    reach.line.add(BREAKS[name](DISCOVERY))
    reach.desk.arrives()
    reach.desk.poll()
    assert reach.desk.pairing_now().state == State.ACTIVE
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.fault_case("line", "refresh, vendor grants grace: {name}")
def test_the_refresh_breaks_after_the_rotation_where_the_vendor_grants_grace(
    open_line: OpenLine, verdict: Verdict, settings: Any, tmp_path: Path, name: str
) -> None:
    reach = open_line(refresh_grace=600)
    grant_grace(settings, tmp_path)
    let_pass(reach.desk.align, reach.desk.pairing)
    reach.line.add(BREAKS[name](TOKEN))
    reach.desk.arrives()
    reach.desk.poll()
    recover(reach.desk)
    assert reach.desk.pairing_now().state == State.ACTIVE
    verdict(reach.desk)


@pytest.mark.parametrize("name", SOME)
@pytest.mark.fault_case("line", "refresh, no grace, then Reconnect: {name}")
def test_the_refresh_breaks_after_the_rotation_and_the_owner_signs_in_again(
    open_line: OpenLine, verdict: Verdict, name: str
) -> None:
    """Our token is then a used one: a person signs in again, and what came meanwhile is fetched."""
    reach = open_line()
    let_pass(reach.desk.align, reach.desk.pairing)
    reach.line.add(BREAKS[name](TOKEN))
    reach.desk.arrives()
    reach.desk.poll()
    recover(reach.desk)
    assert reach.desk.pairing_now().state == State.NEEDS_PAIRING
    assert reason_words("invalid_grant") in words_on(reach.desk.browser, "/")
    reach.desk.arrives()
    pushed(reach)
    reconnect(reach)
    recover(reach.desk)
    verdict(reach.desk)


def reconnect(reach: Reach) -> None:
    browser = reach.desk.browser
    assert come_back(browser, log_in(start_connecting(browser, reach.desk.pairing))) == reverse("connections")
    assert reach.desk.pairing_now().state == State.ACTIVE


@pytest.mark.parametrize("on", [PAIR, TOKEN, DISCOVERY], ids=["Pair", "Get Token", "Discovery"])
@pytest.mark.parametrize("name", SOME)
@pytest.mark.fault_case("line", "Reconnect: {name}, in each of its calls")
def test_connecting_breaks_and_is_done_again(open_line: OpenLine, verdict: Verdict, name: str, on: str) -> None:
    reach = open_line()
    reach.desk.arrives()
    toxic = BREAKS[name](on)
    reach.line.add(toxic)
    browser = reach.desk.browser
    assert come_back(browser, log_in(start_connecting(browser, reach.desk.pairing))) == reverse("connections")
    told = words_on(browser)
    assert any(connect_words(code) in told for code in ("connection_lost", "timeout", "truncated", "bad_answer"))
    reconnect(reach)
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.cut
@pytest.mark.fault_case("line", "no connection can be made (black hole), then refused, then healthy")
def test_align_cannot_be_reached_at_all(open_line: OpenLine, verdict: Verdict) -> None:
    reach = open_line()
    first = reach.desk.arrives()
    reach.desk.poll()
    reach.line.down()
    with black_hole(int(reach.line.url.rpartition(":")[2])):
        work(forgiving=True)
    assert (reach.desk.revision(first).state, reach.desk.revision(first).reason) == (RevisionState.RETRY, "timeout")
    reach.desk.ripen()
    reach.desk.sweep()
    assert reach.desk.revision(first).reason == "connection_lost"
    reach.line.up()
    recover(reach.desk)
    verdict(reach.desk)
    assert len(reach.line.asked(DOWNLOAD)) == 1
