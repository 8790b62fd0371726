"""Reconciliation: what Align shows is stored, pending or failed here, and what is missing is recorded."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.intake import reconcile as reconciling
from connector.intake.bookkeeping import Reconciliation
from connector.intake.reconcile import reconcile
from connector.intake.record import record_order
from connector.orders.models import Order
from connector.pairing.models import State
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.align import change, words_on
from tests.cast import Cast
from tests.intake.desk import Desk, at_once, queued, work

ClientOf = Callable[[User], Client]


def compare(desk: Desk, *, by: User | None = None) -> Reconciliation:
    """One run, whenever the last one was."""
    with in_lab(desk.lab.pk):
        past = timezone.now() - timedelta(hours=2)
        Reconciliation.objects.of(desk.lab).filter(started_at__gt=past).update(started_at=past)
    run = reconcile(desk.lab.pk, desk.pairing.pk, by=by.pk if by else None)
    assert run is not None
    return run


def ledger(run: Reconciliation) -> tuple[int, int, int, int]:
    return run.known, run.stored, run.pending, run.failed


def page(desk: Desk, client: Client | None = None) -> str:
    return words_on(client or desk.browser, reverse("reconciliation", args=[desk.pairing.pk]))


def runs(desk: Desk) -> list[Reconciliation]:
    with in_lab(desk.lab.pk):
        return list(Reconciliation.objects.of(desk.lab))


def test_stored_and_listed_and_failed_scans_add_up_to_what_align_shows(desk: Desk) -> None:
    gone = desk.align.create_order()["orderId"]
    desk.align.fault(call="download", path=gone, status=410)
    desk.align.create_order()
    desk.take_in()
    desk.align.create_order()
    desk.poll()
    run = compare(desk)
    assert ledger(run) == (3, 1, 1, 1)
    assert (run.missing_recorded, run.differing, run.reason) == (0, [], "")
    said = page(desk)
    assert "Align shows 3 Stored here = 1 Not fetched yet + 1 Failed + 1 Not here + 0" in said
    assert "Every scan that Align shows is known here, but the files of one could not be fetched." in said
    assert "Some failed" in said
    assert "Equal" not in said


def test_equal_is_said_only_when_all_is_here(desk: Desk) -> None:
    desk.align.create_order()
    desk.poll()
    compare(desk)
    assert "Every scan that Align shows is known here. Not all of them are fetched yet." in page(desk)
    desk.take_in()
    compare(desk)
    said = page(desk)
    assert "Equal" in said
    assert "Every scan that Align shows is here." in said


def test_a_listed_order_that_was_lost_here_is_recorded_and_fetched(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    run = compare(desk)
    assert (run.missing_recorded, run.listed) == (1, 1)
    assert "One scan was missing here. It is recorded now and is being fetched." in page(desk)
    work()
    desk.assert_true_to_align(order_id)


def test_a_newer_scan_that_no_list_and_no_push_told_of_is_recorded(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    desk.take_in()
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review"})
    assert desk.poll().new == 0
    with in_lab(desk.lab.pk):  # the zip that we hold is another one than is announced
        desk.revision(order_id).order.revisions.update(size=1)
    run = compare(desk)
    assert (run.asked, run.missing_recorded) == (1, 1)
    assert desk.revision(order_id).number == 2


def test_a_scan_that_could_not_be_recorded_is_named_and_the_ledger_does_not_add_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control of the ledger: a run that loses a revision shows it."""
    order_id = desk.align.create_order()["orderId"]

    def lose(*args: Any, **kwargs: Any) -> Any:
        recorded = record_order(*args, **kwargs)
        with in_lab(desk.lab.pk):
            recorded.order.revisions.all().delete()
        return recorded

    monkeypatch.setattr(reconciling, "record_order", lose)
    run = compare(desk)
    assert ledger(run) == (1, 0, 0, 0)
    assert run.differing == [[order_id, "not_recorded"]]
    assert "Not here + 1" in page(desk)


def test_an_entry_of_the_list_that_cannot_be_read_is_named(desk: Desk) -> None:
    desk.align.create_order(malformed=True)
    run = compare(desk)
    assert (run.listed, run.known, len(run.differing)) == (1, 1, 1)
    said = page(desk)
    assert "Some scans that Align shows are not here." in said
    assert "Align's data of this case can't be read" in said


def test_a_case_that_align_forgot_before_it_was_fetched_is_named(desk: Desk) -> None:
    made = desk.align.create_order()
    desk.align.fault(call="download", status=410)
    desk.take_in()
    desk.align.tell(f"orders/{made['orderId']}/status", {"status": "Completed"})
    desk.align.fault(call="orderByRxId", status=404, times=2)
    run = compare(desk)
    assert run.differing == [[made["orderId"], "not_found"]]
    assert "Winter, Ada" in page(desk)


def test_a_stored_case_that_align_forgot_is_no_difference(desk: Desk) -> None:
    desk.align.create_order()
    desk.take_in()
    desk.align.fault(call="orderByRxId", status=404, times=2)
    run = compare(desk)
    assert (run.asked, run.known, run.differing) == (1, 0, [])


def test_orders_take_turns_when_there_are_more_than_one_run_asks_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciling, "BATCH", 2)
    for _ in range(3):
        desk.align.create_order()
    desk.take_in()
    asked: list[str] = []
    by_rx_id = reconciling._by_rx_id
    monkeypatch.setattr(reconciling, "_by_rx_id", lambda p, rx_id: asked.append(rx_id) or by_rx_id(p, rx_id))  # type: ignore[func-returns-value]  # append's None is the point
    first, second = compare(desk), compare(desk)
    assert (first.asked, first.unasked, second.asked) == (2, 1, 2)
    assert len(set(asked[:3])) == 3
    assert asked[3] == asked[0]


def test_an_order_that_align_never_answers_for_does_not_keep_the_others_waiting(desk: Desk) -> None:
    for _ in range(3):
        desk.align.create_order()
    desk.take_in()
    silent, *others = sorted(desk.orders(), key=lambda order: order.pk)
    desk.align.fault(call="orderByRxId", path=silent.rx_id, status=503, times=0)
    first = compare(desk)
    assert (first.reason, first.asked) == ("vendor_unavailable", 0)
    change(desk.pairing, paused_until=None)
    second = compare(desk)
    assert (second.asked, second.known) == (len(others), len(others))
    assert second.reason == "vendor_unavailable", "it has come round to the silent one"


def test_an_order_older_than_the_setting_is_not_asked_for(desk: Desk, settings: Any) -> None:
    settings.RECONCILE_DAYS = 7
    desk.align.create_order()
    desk.take_in()
    with in_lab(desk.lab.pk):
        Order.objects.of(desk.lab).update(received_at=timezone.now() - timedelta(days=8))
    assert compare(desk).asked == 0


def test_a_run_that_fails_leaves_its_row_with_the_reason_in_words(desk: Desk) -> None:
    desk.align.fault(call="orders", status=503)
    run = compare(desk)
    assert (run.reason, run.ended_at is not None) == ("vendor_unavailable", True)
    assert "Not finished" in page(desk)
    assert "Align's server has a problem." in page(desk)


def test_a_run_that_breaks_inside_is_closed_as_interrupted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(reconciling, "_ask_recent", broken)
    with pytest.raises(RuntimeError):
        compare(desk)
    assert [(run.reason, run.ended_at is None) for run in runs(desk)] == [("interrupted", False)]


def test_a_connection_that_waits_for_a_person_is_not_asked_and_the_row_says_so(desk: Desk) -> None:
    change(desk.pairing, state=State.NEEDS_PAIRING, reason="invalid_grant")
    before = desk.align.truth()["calls"]
    assert compare(desk).reason == "not_paired"
    assert desk.align.truth()["calls"] == before


def test_two_workers_at_once_are_one_run(desk: Desk) -> None:
    ids = desk.lab.pk, desk.pairing.pk
    at_once(lambda: reconcile(*ids), lambda: reconcile(*ids))
    assert len(runs(desk)) == 1


def test_a_run_whose_worker_was_killed_is_closed_by_the_next(desk: Desk) -> None:
    with in_lab(desk.lab.pk):
        Reconciliation.objects.create(lab=desk.lab, pairing=desk.pairing)
    compare(desk)
    assert [run.reason for run in runs(desk)] == ["", "interrupted"]


def due(desk: Desk) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pairing_id FROM resolve.due_reconciliations(%s)", [10])
        return (desk.pairing.pk,) in cursor.fetchall()


@pytest.mark.parametrize(
    ("started", "reason", "is_due"),
    [(25, "", True), (23, "", False), (2, "timeout", True), (0.5, "timeout", False)],
    ids=["a day ago", "today", "failed two hours ago", "failed just now"],
)
def test_a_connection_is_due_a_day_after_the_last_run_and_an_hour_after_a_failure(
    desk: Desk, started: float, reason: str, is_due: bool
) -> None:
    change(desk.pairing, paired_at=timezone.now() - timedelta(days=2))
    assert due(desk)
    run = compare(desk)
    with in_lab(desk.lab.pk):
        rows = Reconciliation.objects.of(desk.lab).filter(pk=run.pk)
        rows.update(started_at=timezone.now() - timedelta(hours=started), reason=reason)
    assert due(desk) is is_due


def test_a_connection_of_today_is_not_due_yet(desk: Desk) -> None:
    assert not due(desk)


def test_the_sweep_runs_what_is_due(desk: Desk) -> None:
    change(desk.pairing, paired_at=timezone.now() - timedelta(days=2))
    desk.align.create_order()
    desk.sweep()
    assert [run.reason for run in runs(desk)] == [""]


def test_the_button_starts_a_run_in_that_persons_name(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    theo = client_of(cast.theo)
    theo.post(reverse("reconciliation_run", args=[desk.pairing.pk]))
    assert queued() == ["reconcile"]
    work()
    assert [run.by_id for run in runs(desk)] == [cast.theo.pk]
    assert "Theo" in page(desk, theo)


def test_a_viewer_reads_the_result_and_starts_nothing(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    vera = client_of(cast.vera)
    assert "Compare now" not in page(desk, vera)
    assert vera.post(reverse("reconciliation_run", args=[desk.pairing.pk])).status_code == 403


def test_connections_lead_to_the_page_and_a_first_look_says_that_nothing_was_compared(desk: Desk) -> None:
    url = reverse("reconciliation", args=[desk.pairing.pk])
    assert url in desk.browser.get(reverse("connections")).content.decode()
    assert "Not compared yet" in page(desk)
