"""The refresh of a token: once for all, and what a crash in the middle of it costs."""

import signal
from functools import partial

import pytest
from django.urls import reverse
from django.utils import timezone

from connector.pairing.access import access_for
from connector.pairing.models import State
from connector.pairing.words import reason_words
from tests.align import again, change, come_back, let_pass, log_in, start_connecting, words_on
from tests.faults import forking
from tests.faults.recovery import recover
from tests.faults.scenes import look_and_work
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, OpenDesk

WORKERS = 8


def over_night(desk: Desk, orders: int = 1) -> list[str]:
    """Scans wait, and the access token has run out."""
    arrived = [desk.arrives() for _ in range(orders)]
    change(desk.pairing, next_due=timezone.now())
    let_pass(desk.align, desk.pairing)
    return arrived


def sign_in_again(desk: Desk) -> None:
    """What the page tells the owner to do."""
    page = come_back(desk.browser, log_in(start_connecting(desk.browser, again(desk.pairing))))
    if "/connections/accounts/" in page:
        desk.browser.post(page, {"account": desk.pairing.account_id, "fetch_mode": desk.pairing.fetch_mode})
    assert again(desk.pairing).state == State.ACTIVE, words_on(desk.browser)


@pytest.mark.cut
@pytest.mark.fault_case("refresh", "eight workers at once")
def test_eight_workers_refresh_at_once(open_desk: OpenDesk, verdict: Verdict, seeds: range) -> None:
    desk = open_desk(normal=15)
    for seed in seeds:
        orders = over_night(desk, orders=1 + seed % 3)
        desk.align.fault(call="refresh", latency=0.3)
        pids = [forking.start(partial(use, desk)) for _ in range(WORKERS)]
        assert [forking.wait(pid) for pid in pids] == [0] * WORKERS
        assert desk.align.truth()["tokens"]["reuse"] == 0
        recover(desk)
        verdict(desk, orders)


def use(desk: Desk) -> None:
    """Each worker is given the poll, whose turn only one gets, and asks for a token itself."""
    access_for(desk.lab.pk, desk.pairing.pk)
    look_and_work(desk)


@pytest.mark.fault_case("refresh", "killed after Align rotated, with grace")
def test_killed_after_the_rotation_with_grace(open_desk: OpenDesk, verdict: Verdict, seeds: range) -> None:
    desk = open_desk(normal=5, refresh_grace=60)
    for _ in seeds:
        orders = over_night(desk)
        assert forking.run(partial(look_and_work, desk), "refresh.after_rotation:kill") == -signal.SIGKILL
        recover(desk)
        assert again(desk.pairing).state == State.ACTIVE
        verdict(desk, orders)


@pytest.mark.cut
@pytest.mark.fault_case("refresh", "killed after Align rotated, without grace: a person signs in again")
def test_killed_after_the_rotation_without_grace(open_desk: OpenDesk, verdict: Verdict, seeds: range) -> None:
    """Our token is a used one: nobody but a person can help, the page says so, and nothing is lost meanwhile."""
    desk = open_desk(normal=5)
    for _ in seeds:
        orders = over_night(desk)
        assert forking.run(partial(look_and_work, desk), "refresh.after_rotation:kill") == -signal.SIGKILL
        recover(desk)
        assert again(desk.pairing).state == State.NEEDS_PAIRING
        assert reason_words("invalid_grant") in words_on(desk.browser, reverse("connections"))
        sign_in_again(desk)
        recover(desk)
        verdict(desk, orders)
