"""doctor: a sound installation has no bad line; each thing that is broken on purpose is named, and nothing private."""

import io
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from connector.pairing.models import State
from labportal.doorbell import ring
from labportal.keeping import doctor
from labportal.role_names import role
from labportal.running import liveness
from labportal.running.models import SafeMode
from tests.align import change
from tests.cast import Cast
from tests.intake.desk import forget_profile, point_scans_at
from tests.orders.make import make_order, make_pairing


@pytest.fixture(autouse=True)
def _portal(committed: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own disk, and a worker that answered just now."""
    point_scans_at(settings, tmp_path / "scans")
    monkeypatch.setattr(liveness, "RUN_DIR", tmp_path / "run")
    for cluster in doctor.CLUSTERS:
        liveness.answer(cluster)


def lines(name: str) -> list[tuple[str, str]]:
    return [(line.tone, line.found) for line in doctor.examine() if line.name == name]


def test_a_sound_installation_has_no_bad_line() -> None:
    out = io.StringIO()
    call_command("doctor", stdout=out)
    assert "bad  " not in out.getvalue()
    assert "row-level security on all" in out.getvalue()
    assert "is walled in" in out.getvalue()


def test_it_says_neither_names_nor_secrets(cast: Cast, settings: Any) -> None:
    make_order(cast.lab_a, make_pairing(cast.lab_a))
    out = io.StringIO()
    call_command("doctor", stdout=out)
    private = ["Sørensen", "Ingrid", "Petra", "Lab A", "anna@", "Test account", settings.SECRET_KEY]
    private += [str(connection.settings_dict["PASSWORD"]) for connection in connections.all()]
    assert [word for word in private if word in out.getvalue()] == []


def test_a_table_without_its_wall_is_bad_and_ends_with_1() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("ALTER TABLE orders_order DISABLE ROW LEVEL SECURITY")
        try:
            with pytest.raises(CommandError) as failed:
                call_command("doctor", stdout=io.StringIO())
            assert lines("walls") == [("bad", "orders_order has none")]
        finally:
            cursor.execute("ALTER TABLE orders_order ENABLE ROW LEVEL SECURITY")
    assert failed.value.returncode == 1


def test_web_that_logs_in_as_the_owner_is_bad() -> None:
    walled = connections["default"].settings_dict.copy()
    connections["default"].close()
    connections["default"].settings_dict.update(connections["owner"].settings_dict)
    try:
        assert ("bad", f"{role('owner')} owns tables") in lines("database role")
    finally:
        connections["default"].close()
        connections["default"].settings_dict.update(walled)


def test_a_migration_that_was_not_applied_is_bad() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name = '0002_heartbeat'")
        try:
            assert lines("migrations") == [("bad", "1 not applied")]
        finally:
            cursor.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES ('running', '0002_heartbeat', now())"
            )


def test_a_database_that_does_not_answer_is_bad_and_the_rest_is_told() -> None:
    before = {alias: connections[alias].settings_dict["NAME"] for alias in connections}
    for alias in before:
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = "nowhere"
    try:
        assert lines("queue") == [("bad", "no answer from the database")]
        assert lines("python")[0][0] == "ok"
    finally:
        for alias, name in before.items():
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name


def test_a_task_that_waits_too_long_is_told() -> None:
    ring("labportal.tick.tick")
    assert lines("queue")[0][0] == "ok"
    doctor_looks_at_an_old_task(seconds=1000)
    assert lines("queue")[0][0] == "bad"


def doctor_looks_at_an_old_task(*, seconds: float) -> None:
    """The queued task again, as it would have been signed then."""
    row = OrmQ.objects.get()
    task = {**row.task, "started": timezone.now() - timedelta(seconds=seconds)}
    OrmQ.objects.filter(pk=row.pk).update(payload=SignedPackage.dumps(task))


def test_a_worker_that_stopped_answering_is_bad_and_one_that_never_did_is_to_be_looked_at() -> None:
    old = time.time() - 3600
    os.utime(liveness.RUN_DIR / "answered-portal", (old, old))
    (liveness.RUN_DIR / "answered-downloads").unlink()
    assert lines("worker portal")[0][0] == "bad"
    assert lines("worker downloads") == [("look", "never answered on this machine")]


def test_connections_are_counted_by_state_over_all_labs(cast: Cast) -> None:
    make_pairing(cast.lab_a)
    change(make_pairing(cast.lab_b), state=State.NEEDS_PAIRING)
    assert lines("connections") == [("ok", "1 active"), ("look", "1 needs_pairing")]


def test_safe_mode_is_to_be_looked_at() -> None:
    SafeMode.objects.using("operator").create(since=timezone.now())
    assert lines("safe mode")[0][0] == "look"


def test_a_profile_that_cannot_be_read_is_bad(settings: Any, tmp_path: Path) -> None:
    settings.ITERO_PROFILE = str(tmp_path / "none.toml")
    forget_profile()
    try:
        assert lines("profile") == [("bad", "unreadable")]
    finally:
        forget_profile()


def test_a_scan_store_that_cannot_be_written_is_bad(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir(exist_ok=True)
    (tmp_path / "scans" / "labs").write_text("a file where the labs' folder should be")
    assert lines("scan store")[0][0] == "bad"
