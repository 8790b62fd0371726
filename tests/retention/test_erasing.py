"""Removing a case leaves no byte of it, and brings nothing back but a scan that is truly new."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections, transaction
from django.utils import timezone

from connector.intake.fetch import _fetch
from connector.intake.leases import LeaseLost, claim_next
from connector.intake.reconcile import reconcile
from connector.orders import store
from connector.orders.models import ErasedWhy, Event, Order, Revision, RevisionState, Workflow
from connector.retention.erasing import CannotErase, erase, erase_bytes
from connector.retention.models import LabHold
from connector.retention.patient import remove
from connector.retention.rules import one_at_a_time
from connector.retention.services import set_policy
from connector.retention.sweep import remove_due
from connector.returns.models import Return
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.intake.desk import Desk, OpenDesk, at_once
from tests.retention.keeping import CANARY, age, bytes_with, hold, keep_for, revisions_of, tombstone, whole_database


def test_a_case_whose_time_is_over_leaves_no_name_and_no_byte(desk: Desk, taken_in: str, scans: Path) -> None:
    """Looked for everywhere: in a dump of the whole database, and in every file."""
    stays = desk.arrives()
    desk.take_in()
    patient = desk.order(taken_in)
    zip_bytes = desk.zip_of(desk.revision(taken_in)).read_bytes()[:4000]
    words = [CANARY, patient.patient_first, desk.revision(taken_in).sha256]
    dump = whole_database()
    assert [dump.count(word) > 0 for word in words] == [True] * 3, "the control: before, they are found"
    assert bytes_with(scans, zip_bytes)
    assert desk.files(taken_in)
    keep_for(desk.lab, 365)
    age(desk.lab, taken_in, 366)
    desk.sweep()
    dump = whole_database()
    assert [line for line in dump.splitlines() if CANARY in line] == []
    assert [line for line in dump.splitlines() if words[2] in line and "case.stored" not in line] == [], "the audit"
    assert bytes_with(scans, zip_bytes) == []
    assert not list(scans.rglob(f"*{patient.pk}*"))
    gone = tombstone(desk.lab, taken_in)
    assert (gone.patient, gone.erased_why, gone.rx_id) == ("", "retention", patient.rx_id)
    assert [(r.state, r.archive, r.rx, r.next_due) for r in revisions_of(gone)] == [("erased", "", {}, None)]
    desk.assert_true_to_align(stays)


def test_one_day_before_its_time_nothing_happens(desk: Desk, taken_in: str) -> None:
    keep_for(desk.lab, 365)
    age(desk.lab, taken_in, 364)
    desk.sweep()
    desk.assert_true_to_align(taken_in)


@pytest.mark.parametrize("what", ["in work", "with the doctor", "held", "all held", "for ever", "not yet"])
def test_what_must_stay_stays_and_goes_when_it_may(desk: Desk, taken_in: str, what: str) -> None:
    policy = keep_for(desk.lab, None if what == "for ever" else 365)
    age(desk.lab, taken_in, 366)
    order = desk.order(taken_in)
    held = hold(desk.lab, order if what == "held" else None) if "held" in what else None
    with in_lab(desk.lab.pk):
        if what == "in work":
            Order.objects.of(desk.lab).update(workflow=Workflow.IN_WORK)
        if what == "with the doctor":
            Order.objects.of(desk.lab).update(waiting_since=timezone.now())
        if what == "not yet":
            policy.starts_at = timezone.now() + timedelta(hours=1)
            policy.save()
    desk.sweep()
    assert desk.revision(taken_in).has_files
    with in_lab(desk.lab.pk):
        Order.objects.of(desk.lab).update(workflow=Workflow.DONE, waiting_since=None)
        policy.days, policy.starts_at = 365, timezone.now()
        policy.save()
        if held:
            held.released_at = timezone.now()
            held.save()
    desk.sweep()
    assert tombstone(desk.lab, taken_in).erased_at


def test_what_align_still_lists_stays_removed_and_the_ledger_is_equal(desk: Desk, taken_in: str) -> None:
    erase(desk.lab.pk, desk.order(taken_in).pk, why=ErasedWhy.REQUEST, by=None)
    desk.align.tell(f"orders/{taken_in}/status", {"status": "Ready for Download", "listed": True})
    assert desk.push(taken_in) == 202
    desk.take_in()
    desk.sweep()
    run = reconcile(desk.lab.pk, desk.pairing.pk)
    assert run is not None
    assert (run.known, run.stored, run.pending, run.failed, run.removed, run.differing) == (1, 0, 0, 0, 1, [])
    assert desk.orders() == []
    assert tombstone(desk.lab, taken_in).patient == ""
    assert [r.state for r in revisions_of(tombstone(desk.lab, taken_in))] == ["erased"]


def test_a_case_that_was_never_fetched_stays_removed_when_its_status_changes(open_desk: OpenDesk) -> None:
    """Align lists it still, and with other words: the scan is the one that was removed."""
    desk = open_desk(mode="on_click")
    order_id = desk.arrives()
    desk.take_in()
    remove(lab=desk.lab, ids=[desk.order(order_id).pk], by=None)
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    assert desk.poll().listed == 1
    assert tombstone(desk.lab, order_id).erased_at is not None
    assert tombstone(desk.lab, order_id).patient == ""


def test_a_new_scan_of_a_removed_case_comes_in(desk: Desk, taken_in: str) -> None:
    erase(desk.lab.pk, desk.order(taken_in).pk, why=ErasedWhy.RETENTION, by=None)
    desk.align.tell(f"orders/{taken_in}/model")
    desk.align.wait_for_order(taken_in, status="Lab Review", listed=True)
    desk.take_in()
    desk.sweep()
    order = desk.order(taken_in)
    assert (order.erased_at, bool(order.patient)) == (None, True)
    assert [r.state for r in desk.revisions(taken_in)] == ["erased", "ready"]
    assert desk.zip_of(desk.revision(taken_in)).exists()


def test_a_crash_between_the_row_and_the_bytes_is_made_good_by_the_next_look(
    desk: Desk, taken_in: str, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_for(desk.lab, 365)
    age(desk.lab, taken_in, 366)
    path = desk.zip_of(desk.revision(taken_in))
    with monkeypatch.context() as patch:
        patch.setattr(store, "remove", _full_disk)
        with pytest.raises(OSError, match="no"):
            remove_due(desk.lab.pk)
    assert path.exists()
    assert desk.orders() == [], "nobody sees it from the first moment on"
    desk.sweep()
    assert not path.exists()


def _full_disk(*_: object) -> None:
    raise OSError("no")


def test_two_sweeps_at_once_remove_it_once(desk: Desk, taken_in: str) -> None:
    keep_for(desk.lab, 365)
    age(desk.lab, taken_in, 366)
    at_once(*[lambda: remove_due(desk.lab.pk)] * 4)
    assert [event.kind for event in desk.events()] == ["revision.stored", "order.erased"]
    assert desk.timeline(taken_in) == ["erased"]


def test_a_worker_that_is_busy_with_it_loses_it_and_leaves_nothing(desk: Desk, scans: Path) -> None:
    order_id = desk.arrives()
    desk.poll()
    claimed = claim_next(desk.lab.pk, desk.pairing.pk)
    assert claimed is not None
    erase(desk.lab.pk, claimed.order_id, why=ErasedWhy.REQUEST, by=None)
    with pytest.raises(LeaseLost):
        _fetch(claimed)
    store.staging(claimed.pk).joinpath("late.part").write_bytes(b"late")
    erase_bytes(desk.lab.pk, claimed.pk)
    assert store.staging(claimed.pk).joinpath("late.part").exists(), "its lease has not ended yet"
    with in_lab(desk.lab.pk):
        Revision.objects.of(desk.lab).update(next_due=timezone.now())
    desk.sweep()
    assert [path for path in scans.rglob("*") if path.is_file()] == []
    assert [r.state for r in revisions_of(tombstone(desk.lab, order_id))] == [RevisionState.ERASED]


@pytest.mark.parametrize("locked", [True, False], ids=["as it is", "control: a hold that takes no turn"])
def test_a_hold_that_is_being_set_is_not_overtaken(desk: Desk, taken_in: str, locked: bool, cast: Cast) -> None:
    order = desk.order(taken_in)
    outcome: list[str] = []

    def set_hold() -> None:
        with in_lab(desk.lab.pk), transaction.atomic():
            if locked:
                one_at_a_time(desk.lab.pk)
            LabHold.objects.create(lab=desk.lab, reason="court")
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_sleep(1.5)")

    def remove() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.5)")
        try:
            erase(desk.lab.pk, order.pk, why=ErasedWhy.RETENTION, by=None)
        except CannotErase as error:
            outcome.append(error.code)

    at_once(set_hold, remove)
    assert outcome == (["held"] if locked else [])


@pytest.mark.parametrize("days", [None, 60], ids=["for ever", "a day to think it over"])
def test_a_rule_that_is_being_changed_is_not_overtaken(desk: Desk, taken_in: str, days: int | None, cast: Cast) -> None:
    keep_for(desk.lab, 365)
    age(desk.lab, taken_in, 366)

    def change() -> None:
        with in_lab(desk.lab.pk):
            set_policy(lab=desk.lab, days=days, by=cast.anna)
            with connections["default"].cursor() as cursor:
                cursor.execute("SELECT pg_sleep(1.5)")

    def remove() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.5)")
        remove_due(desk.lab.pk)

    at_once(change, remove)
    assert desk.revision(taken_in).has_files


def test_a_return_that_is_being_sent_is_waited_for(desk: Desk, taken_in: str) -> None:
    with in_lab(desk.lab.pk):
        Return.objects.of(desk.lab).update(state="queued")
    with pytest.raises(CannotErase, match="returning"):
        erase(desk.lab.pk, desk.order(taken_in).pk, why=ErasedWhy.REQUEST, by=None)


def test_another_labs_task_removes_nothing_here(desk: Desk, taken_in: str, cast: Cast) -> None:
    assert erase(cast.lab_b.pk, desk.order(taken_in).pk, why=ErasedWhy.REQUEST, by=None) is False
    erase_bytes(cast.lab_b.pk, desk.revision(taken_in).pk)
    desk.assert_true_to_align(taken_in)


def test_pictures_alone_are_removed_as_well(open_desk: OpenDesk, scans: Path) -> None:
    desk = open_desk(mode="thumbnails")
    order_id = desk.arrives()
    desk.take_in()
    assert list(scans.rglob("*.jpg"))
    erase(desk.lab.pk, desk.order(order_id).pk, why=ErasedWhy.REQUEST, by=None)
    desk.sweep()
    assert [path for path in scans.rglob("*") if path.is_file()] == []


def test_the_outgoing_sequence_stays_without_a_gap(desk: Desk, taken_in: str) -> None:
    erase(desk.lab.pk, desk.order(taken_in).pk, why=ErasedWhy.REQUEST, by=None)
    desk.arrives()
    desk.take_in()
    with in_lab(desk.lab.pk):
        rows = list(Event.objects.of(desk.lab).values_list("seq", "kind"))
    assert rows == [(1, "revision.stored"), (2, "order.erased"), (3, "revision.stored")]
