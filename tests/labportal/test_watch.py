"""Signs of life, and who steps in when they cease: the supervisor for a late tick, the web for a dead worker."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django_q.models import OrmQ, Schedule

from labportal.running import heartbeat, watch
from labportal.running.supervisor import RING_EVERY, Cluster, Supervisor
from labportal.tick import tick
from tests.intake.desk import queued

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("committed")


def grow_old(**minutes: float) -> None:
    with connection.cursor() as cursor:
        for name, age in minutes.items():
            heartbeat.beat(name)
            cursor.execute(
                "UPDATE running_heartbeat SET at = now() - %s * interval '1 minute' WHERE name = %s", [age, name]
            )


def until(true: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the web process sees to, counted."""
    seen: list[str] = []
    monkeypatch.setattr(watch, "_watchers", [lambda: seen.append("look")])
    return seen


@pytest.fixture
def supervisor() -> Supervisor:
    return Supervisor([], ping_every=1, stale_after=6)


def test_a_tick_leaves_its_sign() -> None:
    tick()
    assert heartbeat.ages()[heartbeat.TICK] < timedelta(seconds=20)


@pytest.mark.parametrize(("ages", "looks"), [({}, 0), ({"tick": 1}, 0), ({"tick": 3}, 1), ({"worker": 3}, 1)])
def test_the_web_process_looks_only_while_no_tick_comes(looked: list[str], ages: dict[str, float], looks: int) -> None:
    grow_old(**ages)
    watch.watch()
    assert len(looked) == looks


def test_it_does_so_in_a_thread_of_its_own_and_one_failure_ends_nothing(
    looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    grow_old(tick=3)
    monkeypatch.setattr(watch, "_watchers", [broken, *watch._watchers])
    stop = watch.start(0.05)
    try:
        assert until(lambda: len(looked) >= 3, 20)
    finally:
        stop.set()


def test_the_supervisor_beats_and_rings_for_a_late_tick_once_a_minute(supervisor: Supervisor) -> None:
    grow_old(tick=2)
    supervisor.watch()
    assert heartbeat.ages()[heartbeat.WORKER] < timedelta(seconds=20)
    assert queued() == ["tick"]
    supervisor._beat()
    assert queued() == ["tick"]


def test_the_supervisor_leaves_a_tick_that_comes_by_itself_alone(supervisor: Supervisor) -> None:
    supervisor.watch()
    assert queued() == ["tick"], "the one of the start"
    tick()
    OrmQ.objects.all().delete()
    supervisor._rung_at -= 2 * RING_EVERY
    supervisor._beat()
    assert queued() == []
    grow_old(tick=2)
    supervisor._beat()
    assert queued() == ["tick"], "the control: a late one would have been rung for"


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Path]:
    """The real worker; its log."""
    url = "postgresql://{USER}:{PASSWORD}@/{NAME}?host={HOST}&port={PORT}"
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": url.format(**settings.DATABASES["default"]),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    log = tmp_path / "worker.log"
    with log.open("w") as out:
        process = subprocess.Popen([sys.executable, "manage.py", "worker"], cwd=ROOT, env=environment, stderr=out)
    yield log
    process.terminate()
    assert process.wait(60) == 0


def test_a_poisoned_row_among_the_schedules_does_not_stop_the_tick(request: pytest.FixtureRequest) -> None:
    """It does stop every schedule of the queue: the first assertion is the control."""
    poison = Schedule.objects.create(name="poison", func="x.y", args="f(", schedule_type="I", minutes=1)
    grow_old(tick=3)
    try:
        log = request.getfixturevalue("worker")
        assert until(lambda: "Could not create task from schedule" in log.read_text(), 90)
        grow_old(tick=3)
        assert until(lambda: heartbeat.ages()[heartbeat.TICK] < timedelta(minutes=1), 120)
    finally:
        poison.delete()


@pytest.mark.parametrize("hours", [-10, 10])
def test_a_clock_that_is_set_does_not_stop_the_watch_over_a_cluster(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    cluster, start = Cluster("nowhere", workers=2, timeout=60), time.monotonic()
    pinged: list[str] = []

    def ping(cluster: Cluster) -> bool:
        pinged.append(cluster.name)
        return True

    monkeypatch.setattr(supervisor, "_ping", ping)
    assert not supervisor._is_stale(cluster, start)
    wrong = time.time() + hours * 3600
    monkeypatch.setattr(time, "time", lambda: wrong)
    assert not supervisor._is_stale(cluster, start + 2)
    assert len(pinged) == 2
    assert supervisor._is_stale(cluster, start + 7), "no answer for longer than stale_after"
