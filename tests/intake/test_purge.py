"""Old runs and dealt-with notifications are cleared away; what a page or the ledger stands on stays."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import Task

from connector.intake import purge as purging
from connector.intake.models import Notification, Reconciliation, SyncRun
from connector.intake.purge import purge, ring_purge
from connector.pairing.models import Pairing
from labportal.labs.tenancy import in_lab
from labportal.running import heartbeat
from labportal.tick import tick
from tests.cast import Cast
from tests.intake.desk import Desk, queued, work
from tests.orders.make import make_pairing


@pytest.fixture
def pairing(committed: None, cast: Cast) -> Pairing:
    return make_pairing(cast.lab_a)


def days_ago(days: float) -> Any:
    return timezone.now() - timedelta(days=days)


def run(pairing: Pairing, days: float, *, ended: bool = True) -> SyncRun:
    with in_lab(pairing.lab_id):
        made = SyncRun.objects.create(
            lab_id=pairing.lab_id, pairing=pairing, kind="poll", ended_at=days_ago(days) if ended else None
        )
        SyncRun.objects.filter(pk=made.pk).update(started_at=days_ago(days))
        return made


def push(pairing: Pairing, days: float, state: str) -> None:
    with in_lab(pairing.lab_id):
        made = Notification.objects.create(lab_id=pairing.lab_id, pairing=pairing, rx_id=f"rx-{state}", state=state)
        Notification.objects.filter(pk=made.pk).update(received_at=days_ago(days))


def runs(pairing: Pairing) -> list[int]:
    """Their ages in days, newest first."""
    with in_lab(pairing.lab_id):
        rows = SyncRun.objects.of(pairing.lab_id).filter(pairing=pairing)
        return [(timezone.now() - row.started_at).days for row in rows]


def pushes(pairing: Pairing) -> set[str]:
    with in_lab(pairing.lab_id):
        return set(Notification.objects.of(pairing.lab_id).values_list("state", flat=True))


def test_runs_go_after_the_days_that_are_set(pairing: Pairing, settings: Any) -> None:
    settings.RUNS_KEPT_DAYS = 20
    for days in (40, 21, 19, 1):
        run(pairing, days)
    assert purge(pairing.lab_id) == 2
    assert runs(pairing) == [1, 19]


def test_what_pages_look_back_on_is_kept_whatever_is_set(pairing: Pairing, settings: Any) -> None:
    settings.RUNS_KEPT_DAYS = 0
    for days in (16, 14, 1):
        run(pairing, days)
    purge(pairing.lab_id)
    assert runs(pairing) == [1, 14]


def test_the_last_run_of_a_connection_stays_however_old_and_one_that_never_ended_too(pairing: Pairing) -> None:
    run(pairing, 400, ended=False)
    run(pairing, 300)
    run(pairing, 200)
    assert purge(pairing.lab_id) == 1
    assert runs(pairing) == [200, 400]


def test_a_notification_that_still_waits_is_kept_for_ever(pairing: Pairing) -> None:
    for state in ("queued", "taken", "done", "unknown"):
        push(pairing, 300, state)
    purge(pairing.lab_id)
    assert pushes(pairing) == {"queued", "taken"}


def test_many_rows_go_in_small_transactions(pairing: Pairing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)
    for days in range(40, 47):
        run(pairing, days)
    assert purge(pairing.lab_id) == 6


def test_another_labs_rows_are_not_touched(pairing: Pairing, cast: Cast) -> None:
    theirs = make_pairing(cast.lab_b)
    for days in (50, 40):
        run(theirs, days)
    purge(pairing.lab_id)
    assert runs(theirs) == [40, 50]


def test_the_tick_rings_for_it_once_an_hour_and_for_labs_with_old_rows_only(pairing: Pairing, cast: Cast) -> None:
    make_pairing(cast.lab_b)
    run(pairing, 50)
    run(pairing, 40)
    tick()
    assert queued().count("purge") == 1
    work()
    assert runs(pairing) == [40]
    run(pairing, 60)
    ring_purge()
    assert queued() == []
    with connection.cursor() as cursor:
        cursor.execute("UPDATE running_heartbeat SET at = at - interval '1 hour' WHERE name = 'purge'")
    ring_purge()
    assert queued() == ["purge"]


def test_only_one_of_many_processes_is_given_the_turn(committed: None) -> None:
    hour = timedelta(hours=1)
    assert [heartbeat.claim("turn", hour) for _ in range(3)] == [True, False, False]
    assert heartbeat.claim("turn", timedelta(0))


def test_failed_tasks_go_too(committed: None) -> None:
    for name, days in (("old", 50), ("young", 1)):
        Task.objects.create(id=name, name=name, func="x", started=days_ago(days), stopped=days_ago(days), success=False)
    ring_purge()
    assert [task.name for task in Task.objects.all()] == ["young"]


def test_the_ledger_is_the_same_after_a_purge(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconciliation asks on from where it stood, and counts the same."""
    from connector.intake.reconcile import reconcile

    desk.arrives()
    desk.arrives()
    desk.take_in()
    first = reconcile(desk.lab.pk, desk.pairing.pk)
    with in_lab(desk.lab.pk):
        for model in (SyncRun, Reconciliation):
            model.objects.of(desk.lab).update(started_at=days_ago(400), ended_at=days_ago(400))
    purge(desk.lab.pk)
    second = reconcile(desk.lab.pk, desk.pairing.pk)
    assert first is not None
    assert second is not None
    assert (second.known, second.stored, second.pending, second.failed) == (2, 2, 0, 0)
    assert (first.known, first.stored) == (2, 2)
    with in_lab(desk.lab.pk):
        assert Reconciliation.objects.of(desk.lab).count() == 2
