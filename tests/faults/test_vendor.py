"""Align itself is ill: refusals, silence asked for, nonsense, files in another place. Nothing of it ends an order."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from connector.orders.models import RevisionState
from connector.pairing import trouble, vendor
from connector.pairing.models import State
from connector.pairing.words import reason_words
from tests.align import let_pass, words_on
from tests.faults.findings import Findings
from tests.faults.lines import DOWNLOAD, OpenLine, Reach
from tests.faults.recovery import recover
from tests.faults.test_calls import grant_grace, pushed, reconnect
from tests.faults.verdict import Verdict
from tests.intake.desk import forget_profile, page_by, work
from tests.line.toxics import ResetPeer

TOLD = {"list": "orders", "look-up": "orderByRxId", "download": "download"}
LONGEST_PAUSE = timedelta(hours=1, minutes=13)  # an hour, with a fifth of jitter
SILENCES = {
    "seconds": "120",
    "an HTTP date": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True),
    "absurdly large": "99999999999999",
    "a date in 100 years": "Wed, 21 Oct 2126 07:28:00 GMT",
    "unreadable": "soon",
}


def two_come(reach: Reach) -> None:
    """One by the list, one by a push, as far as Align allows it."""
    reach.desk.arrives()
    reach.desk.poll()
    work(forgiving=True)
    pushed(reach)
    work(forgiving=True)


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.parametrize("status", [401, 404, 408, 409, 500, 502])
@pytest.mark.fault_case("Align", "{status} twice, in list, look-up and download")
def test_a_refusal_passes(open_line: OpenLine, verdict: Verdict, status: int, name: str) -> None:
    reach = open_line()
    times = 1 if status == 401 else 2
    reach.desk.align.fault(call=TOLD[name], status=status, times=times)
    two_come(reach)
    recover(reach.desk)
    verdict(reach.desk)


@pytest.mark.parametrize("name", TOLD)
@pytest.mark.fault_case("Align", "403 until Align's support has enabled the account")
def test_a_403_stops_the_pairing_until_align_allows_it(open_line: OpenLine, verdict: Verdict, name: str) -> None:
    reach = open_line()
    reach.desk.align.fault(call=TOLD[name], status=403)
    two_come(reach)
    if name != "list":  # there a later call has shown that it works again
        assert reach.desk.pairing_now().state in (State.FORBIDDEN, State.ACTIVE)
    recover(reach.desk)
    assert reach.desk.pairing_now().state == State.ACTIVE
    verdict(reach.desk)


@pytest.mark.cut
@pytest.mark.fault_case("Align", "401 in the middle of a download, given once")
def test_the_token_ends_in_the_middle_of_a_download(open_line: OpenLine, verdict: Verdict) -> None:
    reach = open_line(second_download="gone")
    reach.line.add(ResetPeer(on=DOWNLOAD, times=1, at=0.5))
    reach.desk.arrives()
    reach.desk.poll()
    work(forgiving=True)
    reach.desk.align.fault(call="download", status=401)
    recover(reach.desk)
    assert verdict(reach.desk).explained == 0
    assert reach.desk.align.truth()["calls"]["refresh"] == 1


@pytest.mark.fault_case("Align", "401 on the second page of the list")
def test_the_token_ends_in_the_middle_of_the_list(
    open_line: OpenLine, verdict: Verdict, settings: Any, tmp_path: Path
) -> None:
    reach = open_line()
    page_by(settings, tmp_path, "assumed", "page")
    for _ in range(5):
        reach.desk.arrives()
    reach.desk.align.fault(call="orders", status=401, skip=1)
    run = reach.desk.poll()
    assert (run.reason, run.new) == ("", 5)
    recover(reach.desk)
    verdict(reach.desk)


def calls_while_silent(reach: Reach) -> Findings:
    """What is asked of Align although it wants silence: by ticks, pushes and a person's return to the page."""
    found, before = Findings(), len(reach.line.exchanges)
    for _ in range(3):
        reach.desk.sweep()
    pushed(reach)
    work(forgiving=True)
    asked = reach.line.exchanges[before:]
    found.count("unwanted", f"{[one.request_line for one in asked]}", len(asked))
    return found


@pytest.mark.parametrize("words", SILENCES)
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("name", ["list", "download"])
@pytest.mark.fault_case("Align", "{status} with Retry-After: {words}")
def test_the_pairing_is_silent_as_long_as_align_asks(
    open_line: OpenLine, verdict: Verdict, name: str, status: int, words: str
) -> None:
    reach = open_line()
    for _ in range(3):
        reach.desk.arrives()
    if name == "download":
        reach.desk.poll()
    reach.desk.align.fault(call=TOLD[name], status=status, retry_after=SILENCES[words])
    reach.desk.poll()
    work(forgiving=True)
    until = reach.desk.pairing_now().paused_until
    assert until is not None
    assert timezone.now() < until < timezone.now() + LONGEST_PAUSE
    unwanted = calls_while_silent(reach)
    assert all(revision_state(reach, order.order_id) not in STOPS for order in reach.desk.orders())
    told = reason_words("rate_limited" if status == 429 else "vendor_unavailable")
    assert told in words_on(reach.desk.browser)
    recover(reach.desk)
    verdict(reach.desk, also=unwanted)


STOPS = (RevisionState.DEAD, RevisionState.GONE, RevisionState.QUARANTINED)


def revision_state(reach: Reach, order_id: str) -> str:
    return reach.desk.revision(order_id).state


@pytest.mark.fault_case("Align", "429 without the pairing's pause", control=True)
def test_control_without_the_pause(open_line: OpenLine, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trouble, "pause", lambda pairing, error: None)
    reach = open_line()
    reach.desk.arrives()
    reach.desk.align.fault(call="orders", status=429, retry_after="120")
    reach.desk.poll()
    unwanted = calls_while_silent(reach)
    recover(reach.desk)
    verdict(reach.desk, also=unwanted)


@pytest.mark.parametrize("call", ["orders", "orderByRxId", "discovery", "refresh", "download"])
@pytest.mark.parametrize("kind", ["garbage", "html", "half_json"])
@pytest.mark.fault_case("Align", "{kind} in place of the answer to {call}")
def test_nonsense_is_no_answer(
    open_line: OpenLine, verdict: Verdict, settings: Any, tmp_path: Path, call: str, kind: str
) -> None:
    reach = open_line(refresh_grace=600)
    grant_grace(settings, tmp_path)
    if call in ("discovery", "refresh"):
        let_pass(reach.desk.align, reach.desk.pairing)
    reach.desk.align.fault(call=call, **{kind: True})
    two_come(reach)
    recover(reach.desk)
    verdict(reach.desk)
    forget_profile()


@pytest.mark.cut
@pytest.mark.parametrize("over_night", [False, True], ids=["at once", "over night"])
@pytest.mark.fault_case("Align", "the account has moved to another region")
def test_the_region_has_moved(open_line: OpenLine, verdict: Verdict, over_night: bool) -> None:
    reach = open_line()
    reach.desk.arrives()
    reach.desk.poll()
    reach.desk.align.tell("region", {"accountId": 479, "region": "us"})
    if over_night:
        let_pass(reach.desk.align, reach.desk.pairing)
    two_come(reach)
    recover(reach.desk)
    assert reach.desk.pairing_now().region == "us"
    verdict(reach.desk)


@pytest.mark.cut
@pytest.mark.fault_case("Align", "invalid_grant: a person signs in again, and what came meanwhile is fetched")
def test_a_sign_in_that_align_ended_is_made_again(open_line: OpenLine, verdict: Verdict) -> None:
    reach = open_line()
    reach.desk.arrives()
    reach.desk.take_in()
    pairing = reach.desk.pairing
    vendor.client().revoke_token(pairing.vendor_endpoints, token=pairing.tokens.refresh_token)
    let_pass(reach.desk.align, pairing)
    two_come(reach)
    assert reach.desk.pairing_now().state == State.NEEDS_PAIRING
    asked = len(reach.line.exchanges)
    recover(reach.desk)
    assert len(reach.line.exchanges) == asked, "a stopped pairing asks nothing"
    assert reason_words("invalid_grant") in words_on(reach.desk.browser, "/")
    reconnect(reach)
    recover(reach.desk)
    verdict(reach.desk)
