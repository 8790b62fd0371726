"""Polling: every new order becomes a row before a byte is fetched, and every look leaves a record."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from connector.intake import poll as polling
from connector.intake.fetch import fetch_next
from connector.intake.models import RunStatus, SyncRun
from connector.intake.poll import poll
from connector.intake.record import record_order
from connector.pairing.models import Pairing, State
from labportal.labs.tenancy import in_lab
from tests.align import change, let_pass, words_on
from tests.intake.desk import Desk, OpenDesk, page_by

STYLES = ("page", "offset", "next")


def test_an_order_on_the_list_becomes_a_stored_case(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    desk.assert_true_to_align(order_id)
    assert desk.revision(order_id).state == "ready"


def test_new_orders_are_rows_before_any_download_call(desk: Desk) -> None:
    listed = [desk.arrives() for _ in range(3)]
    run = desk.poll()
    assert [order.order_id for order in desk.orders()] == listed
    assert {desk.revision(order_id).state for order_id in listed} == {"seen"}
    assert (run.listed, run.new, run.status) == (3, 3, RunStatus.NEW)
    assert "download" not in desk.align.truth()["calls"]


@pytest.mark.parametrize(("eager", "missed"), [(False, 0), (True, 1)], ids=["as it is", "control: eager downloads"])
def test_the_quickest_download_does_not_make_a_poll_miss_orders(
    desk: Desk, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eager: bool, missed: int
) -> None:
    """Each download takes an order off Align's list, so the pages move up. The control fetches while pages are read."""
    page_by(settings, tmp_path, "assumed", "page", size=1)
    for _ in range(3):
        desk.arrives()
    ids = desk.lab.pk, desk.pairing.pk
    monkeypatch.setattr(polling, "ring_download", lambda *_: fetch_next(*ids))
    if eager:
        record = record_order

        def record_and_fetch(*args: Any, **kwargs: Any) -> Any:
            recorded = record(*args, **kwargs)
            fetch_next(*ids)
            return recorded

        monkeypatch.setattr(polling, "record_order", record_and_fetch)
    desk.poll()
    assert 3 - len(desk.orders()) >= missed
    assert eager or len(desk.orders()) == 3


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dialect", ["assumed", "contract"])
def test_all_pages_are_read_in_every_style_and_dialect(
    open_desk: OpenDesk, settings: Any, tmp_path: Path, dialect: str, style: str
) -> None:
    desk = open_desk(dialect=dialect, paging=style)
    page_by(settings, tmp_path, dialect, style, size=1)
    listed = [desk.arrives() for _ in range(3)]
    assert desk.poll().new == 3
    assert [order.order_id for order in desk.orders()] == listed


def test_a_look_that_finds_nothing_new_leaves_a_row(desk: Desk) -> None:
    desk.arrives()
    desk.poll()
    run = desk.poll()
    assert (run.status, run.listed, run.new) == (RunStatus.NOTHING_NEW, 1, 0)
    assert [row.status for row in desk.runs()] == [RunStatus.NOTHING_NEW, RunStatus.NEW]
    assert desk.runs()[0].ended_at is not None


def test_a_look_that_fails_leaves_a_row_with_its_reason_and_the_pairing_pauses(desk: Desk) -> None:
    desk.align.fault(call="orders", status=503, retry_after="60")
    run = desk.poll()
    assert (run.status, run.reason) == (RunStatus.FAILED, "vendor_unavailable")
    pairing = desk.pairing_now()
    assert pairing.paused_until is not None
    assert pairing.paused_until > timezone.now()
    change(pairing, next_due=timezone.now())
    assert poll(desk.lab.pk, desk.pairing.pk) is None


def test_a_look_after_a_failure_clears_the_reason(desk: Desk) -> None:
    desk.align.fault(call="orders", status=500)
    desk.poll()
    desk.poll()
    pairing = desk.pairing_now()
    assert (pairing.reason, pairing.failures, pairing.paused_until) == ("", 0, None)
    assert pairing.succeeded_at is not None


def test_a_pairing_that_is_not_due_is_not_looked_at(desk: Desk) -> None:
    desk.poll()
    assert poll(desk.lab.pk, desk.pairing.pk) is None
    assert len(desk.runs()) == 1


def test_a_look_that_breaks_inside_is_closed_as_interrupted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.arrives()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(polling, "record_order", broken)
    with pytest.raises(RuntimeError):
        desk.poll()
    assert [(row.status, row.reason) for row in desk.runs()] == [(RunStatus.FAILED, "interrupted")]


def test_a_look_whose_worker_was_killed_is_closed_by_the_next(desk: Desk) -> None:
    with in_lab(desk.lab.pk):
        SyncRun.objects.create(lab=desk.lab, pairing=desk.pairing, kind="poll")
    desk.poll()
    assert [row.status for row in desk.runs()] == [RunStatus.NOTHING_NEW, RunStatus.FAILED]


def test_orders_recorded_before_the_token_had_to_be_renewed_count_as_new(
    desk: Desk, settings: Any, tmp_path: Path
) -> None:
    page_by(settings, tmp_path, "assumed", "page", size=1)
    for _ in range(2):
        desk.arrives()
    desk.align.fault(call="orders", skip=1, status=401)
    run = desk.poll()
    assert (run.listed, run.new, run.status) == (2, 2, RunStatus.NEW)


def test_a_list_that_breaks_on_its_second_page_still_brings_in_the_first(
    desk: Desk, settings: Any, tmp_path: Path
) -> None:
    page_by(settings, tmp_path, "assumed", "page", size=1)
    for _ in range(2):
        desk.arrives()
    desk.align.fault(call="orders", skip=1, half_json=True)
    run = desk.poll()
    assert (run.status, run.reason, run.new) == (RunStatus.FAILED, "bad_answer", 1)
    desk.sweep()
    assert {desk.revision(order.order_id).state for order in desk.orders()} == {"ready"}


def test_one_malformed_order_does_not_block_the_good_ones(desk: Desk) -> None:
    good = [desk.arrives()]
    desk.align.create_order(malformed=True)
    good.append(desk.arrives())
    run = desk.poll()
    assert [order.order_id for order in desk.orders()] == good
    assert (run.listed, run.new, run.malformed, run.status) == (3, 2, 1, RunStatus.NEW)


def test_a_status_that_nobody_knows_is_kept_and_shown(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.align.tell(f"orders/{order_id}/status", {"status": "Beamed to Lab", "listed": True})
    desk.take_in()
    order = desk.order(order_id)
    assert order.vendor_status == "Beamed to Lab"
    assert "Beamed to Lab" in words_on(desk.browser, f"/cases/{order.pk}")
    desk.assert_true_to_align(order_id)


def test_names_of_any_length_and_direction_come_in_whole_and_show_escaped(desk: Desk) -> None:
    first, last = "שרה‏ <i>", "W" * 260
    order_id = desk.align.create_order(patient={"firstName": first, "lastName": last, "chartNumber": "C"})["orderId"]
    desk.take_in()
    order = desk.order(order_id)
    assert (order.patient_first, order.patient_last) == (first, last)
    page = desk.browser.get(f"/cases/{order.pk}").content.decode()
    assert "<i>" not in page
    assert "&lt;i&gt;" in page


def test_after_two_hours_with_everything_off_the_next_look_recovers_by_itself(desk: Desk) -> None:
    order_id = desk.arrives()
    let_pass(desk.align, desk.pairing, 7200)
    desk.take_in()
    desk.assert_true_to_align(order_id)
    assert desk.pairing_now().state == State.ACTIVE


def test_a_token_that_align_ended_early_is_renewed_in_the_middle_of_a_look(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.align.advance_clock(7200)  # our own clock still holds the token for good
    assert desk.poll().status == RunStatus.NEW
    assert desk.order(order_id).order_id == order_id


def test_a_forbidden_pairing_looks_again_and_is_active_once_align_allows_it(desk: Desk) -> None:
    desk.align.fault(call="orders", status=403)
    assert desk.poll().reason == "forbidden"
    assert desk.pairing_now().state == State.FORBIDDEN
    assert desk.poll().status == RunStatus.NOTHING_NEW
    assert desk.pairing_now().state == State.ACTIVE


def test_tokens_that_cannot_be_opened_end_the_look_with_a_reason(desk: Desk) -> None:
    change(desk.pairing, sealed_tokens="lost-key:text")
    run = desk.poll()
    assert (run.status, run.reason) == (RunStatus.FAILED, "unknown_key")


def test_a_successful_look_does_not_wipe_the_reason_why_another_worker_stopped_the_pairing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.arrives()

    def stopped_meanwhile(after: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(pairing: Pairing, *args: Any, **kwargs: Any) -> Any:
            change(pairing, state=State.NEEDS_PAIRING, reason="invalid_grant")
            return after(pairing, *args, **kwargs)

        return recorded

    monkeypatch.setattr(polling, "record_order", stopped_meanwhile(record_order))
    desk.poll()
    assert desk.pairing_now().reason == "invalid_grant"
