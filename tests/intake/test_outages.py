"""A night without Align counts against nobody: neither orders nor pushes are given up for it, and labs drift apart."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connector.intake import outcome
from connector.intake.leases import claim_next
from connector.intake.look_up import KEPT_UNROUTED, TRIES, look_up, route_unrouted
from connector.intake.models import NotificationState, UnroutedNotification
from connector.itero.errors import ConnectionLost, IteroError, NotFound, RateLimited, Truncated, VendorUnavailable
from connector.orders.models import RevisionState
from connector.pairing.trouble import lock, pause
from connector.scans.rejection import ArchiveRejected
from labportal.labs.tenancy import in_lab
from tests.align import again, change, words_on
from tests.intake.desk import Desk

NIGHT = 40


def fails(desk: Desk, order_id: str, error: Exception) -> RevisionState:
    desk.ripen()
    claimed = claim_next(desk.lab.pk, desk.pairing.pk)
    assert claimed is not None
    outcome.failed(claimed, error)  # type: ignore[arg-type]  # any of its kinds
    return RevisionState(desk.revision(order_id).state)


@pytest.mark.parametrize("night", [ConnectionLost(), VendorUnavailable(), OSError()], ids=["line", "5xx", "disk"])
@pytest.mark.parametrize("morning", [NotFound(), Truncated(), ArchiveRejected("bad_crc")], ids=["404", "cut", "zip"])
def test_after_a_night_of_trouble_the_first_refusal_is_not_the_last(
    desk: Desk, night: Exception, morning: Exception
) -> None:
    order_id = desk.arrives()
    desk.poll()
    for _ in range(NIGHT):
        assert fails(desk, order_id, night) == RevisionState.RETRY
    assert fails(desk, order_id, morning) == RevisionState.RETRY
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


@pytest.mark.parametrize(("error", "tries"), [(NotFound(), 3), (Truncated(), 12), (ArchiveRejected("bad_crc"), 3)])
def test_refusals_of_the_order_itself_still_come_to_an_end(desk: Desk, error: Exception, tries: int) -> None:
    order_id = desk.arrives()
    desk.poll()
    states = [fails(desk, order_id, error) for _ in range(tries)]
    assert set(states[:-1]) == {RevisionState.RETRY}
    assert states[-1] in {RevisionState.DEAD, RevisionState.QUARANTINED}


@pytest.mark.parametrize("status", [404, 410])
def test_a_gateway_that_answers_404_during_a_deployment_gives_no_case_up(desk: Desk, status: int) -> None:
    order_id = desk.arrives()
    desk.poll()
    desk.align.fault(call="download", status=status, html=True, times=0)
    for _ in range(4):
        desk.until_stored(order_id)
    revision = desk.revision(order_id)
    assert (revision.state, revision.reason, revision.own_failures) == (RevisionState.RETRY, "web_page", 0)
    assert "Align answered with a web page" in words_on(desk.browser, f"/cases/{revision.order_id}")
    desk.align.clear_faults()
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_a_push_that_a_gateway_answers_404_waits(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.align.fault(call="orderByRxId", status=404, html=True, times=0)
    desk.push(order_id)
    for _ in range(TRIES + 1):
        look_up(desk.lab.pk, desk.pairing.pk)
    (push,) = desk.notifications()
    assert (push.state, push.reason, push.own_failures) == (NotificationState.QUEUED, "web_page", 0)
    desk.align.clear_faults()
    look_up(desk.lab.pk, desk.pairing.pk)
    assert desk.revision(order_id).state == RevisionState.SEEN


def test_pressing_try_again_counts_from_nought(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    desk.update_revision(order_id, state=RevisionState.DEAD, attempts=12, own_failures=12)
    desk.browser.post(f"/cases/{desk.order(order_id).pk}/try-again")
    desk.update_revision(order_id, next_due=timezone.now())
    assert fails(desk, order_id, NotFound()) == RevisionState.RETRY


def test_a_download_that_is_cut_again_and_again_but_gets_on_is_not_given_up(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    desk.update_revision(order_id, own_failures=outcome.TRIES - 2)
    desk.align.fault(call="download", truncate_at=0.1, times=8)
    desk.until_stored(order_id)
    for _ in range(2):
        desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_one_that_is_cut_and_begins_anew_each_time_is_given_up_with_words(open_desk: Any) -> None:
    """The control: without Range nothing is gained."""
    desk = open_desk(no_range=True)
    order_id = desk.arrives()
    desk.poll()
    desk.update_revision(order_id, own_failures=outcome.TRIES - 2)
    desk.align.fault(call="download", truncate_at=0.1, times=8)
    desk.until_stored(order_id)
    assert desk.revision(order_id).state == RevisionState.DEAD
    assert "cut off each time" in words_on(desk.browser, "/attention/")


def test_a_push_outlives_the_night_and_aligns_slow_index(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.push(order_id)
    desk.align.fault(call="orderByRxId", reset_at=0.0, times=TRIES + 3)
    for _ in range(TRIES + 3):
        look_up(desk.lab.pk, desk.pairing.pk)
    desk.align.fault(call="orderByRxId", status=404, times=TRIES - 1)
    for _ in range(TRIES - 1):
        look_up(desk.lab.pk, desk.pairing.pk)
    assert [row.state for row in desk.notifications()] == [NotificationState.QUEUED]
    desk.sweep()
    desk.assert_true_to_align(order_id)


def test_a_push_that_names_no_account_outlives_the_night_too(desk: Desk, settings: Any) -> None:
    order_id = desk.arrives()
    desk.push_body({"RxId": desk.rx_id(order_id)}, secret=settings.NOTIFICATION_SECRET)
    desk.align.fault(call="orderByRxId", reset_at=0.0, times=TRIES + 3)
    for _ in range(TRIES + 3):
        route_unrouted()
    desk.sweep()
    desk.assert_true_to_align(order_id)
    assert not UnroutedNotification.objects.exists()


def test_a_push_of_nobody_is_kept_three_days_while_somebody_has_no_answer(desk: Desk, settings: Any) -> None:
    desk.push_body({"RxId": "nobodys"}, secret=settings.NOTIFICATION_SECRET)
    change(desk.pairing, paused_until=timezone.now() + timedelta(hours=1), reason="rate_limited")
    asked = desk.align.truth()["calls"].get("orderByRxId", 0)
    for _ in range(TRIES + 1):
        route_unrouted()
    assert desk.align.truth()["calls"].get("orderByRxId", 0) == asked, "a paused pairing is not asked"
    assert UnroutedNotification.objects.exists()
    UnroutedNotification.objects.update(received_at=timezone.now() - KEPT_UNROUTED - timedelta(hours=1))
    for _ in range(TRIES + 1):
        route_unrouted()
    assert not UnroutedNotification.objects.exists()


@pytest.mark.parametrize("second", [VendorUnavailable(), RateLimited(retry_after=5)], ids=["5xx", "shorter"])
def test_a_pause_that_align_asked_for_is_not_shortened_by_another_worker(desk: Desk, second: IteroError) -> None:
    for error in (RateLimited(retry_after=3000), second):
        with in_lab(desk.lab.pk):
            pause(lock(desk.lab.pk, desk.pairing.pk), error)
    after = again(desk.pairing)
    assert after.paused_until is not None
    assert after.paused_until > timezone.now() + timedelta(seconds=2900)
    assert (after.reason, after.failures) == ("rate_limited", 2)


def test_looks_at_the_list_drift_apart(desk: Desk) -> None:
    gaps = set()
    for fault in (None, None, {"call": "orders", "reset_at": 0.0, "times": 1}, {"call": "orders", "reset_at": 0.0}):
        if fault:
            change(desk.pairing, failures=20)
            desk.align.fault(**fault)
        now = timezone.now()
        desk.poll()
        due = again(desk.pairing).next_due
        assert due is not None
        gaps.add(round((due - now).total_seconds()))
    assert len(gaps) > 1
    assert all(260 <= gap <= 370 for gap in gaps)
