"""The tick finds all work again from our own tables, and nothing of a patient lies outside of them."""

import logging

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ

from connector.intake.fetch import fetch_next
from connector.intake.sweep import sweep
from labportal import tick as ticking
from labportal.tick import tick
from tests.align import change
from tests.intake.desk import Desk, queued, work

CANARY = "ZZCANARY"


def test_all_work_is_found_again_after_the_queue_was_lost(desk: Desk) -> None:
    seen, stored, pushed = desk.arrives(), desk.arrives(), desk.arrives()
    desk.align.tell(f"orders/{pushed}/status", {"status": "Scanning"})  # not on the list yet
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)
    desk.ripen()
    desk.align.tell(f"orders/{pushed}/status", {"status": "Ready for Download", "listed": False})
    desk.push(pushed)
    desk.sweep()
    for order_id in (seen, stored, pushed):
        desk.assert_true_to_align(order_id)
        assert desk.revision(order_id).state == "ready"


def test_a_poll_that_is_due_is_found_by_the_tick(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.ripen()
    change(desk.pairing, next_due=timezone.now())
    desk.sweep()
    desk.assert_true_to_align(order_id)


def test_one_apps_failing_sweep_does_not_stop_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.arrives()
    desk.poll()
    OrmQ.objects.all().delete()

    def broken() -> None:
        raise ZeroDivisionError(CANARY)

    monkeypatch.setattr(ticking, "_sweepers", [broken, sweep])
    with pytest.raises(RuntimeError) as failed:
        tick()
    assert "download" in queued()
    assert CANARY not in str(failed.value)


def test_patient_data_is_in_no_queue_row_no_log_and_no_task_result(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    patient = {"firstName": CANARY, "lastName": CANARY, "chartNumber": CANARY}
    order_id = desk.align.create_order(patient=patient)["orderId"]
    desk.align.fault(call="download", html=True)
    desk.poll()
    rows = payloads()
    work()
    for _ in range(2):
        desk.ripen()
        desk.sweep()
        rows += payloads()
    desk.push(order_id)
    rows += payloads()
    work()
    assert desk.order(order_id).patient_last == CANARY
    assert CANARY not in "".join(rows)
    assert CANARY not in caplog.text
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_q_task WHERE django_q_task::text LIKE %s", [f"%{CANARY}%"])
        assert cursor.fetchone() == (0,)


def payloads() -> list[str]:
    """What lies in the queue, opened: function and arguments."""
    return [repr(row.task) for row in OrmQ.objects.all()]
