"""GET /status: how the portal stands, for a monitoring system that knows the token, and for nobody else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from connector.pairing.alarm import Alarm
from connector.pairing.models import Pairing
from labportal.labs.tenancy import in_lab
from labportal.running import heartbeat
from tests.align import change
from tests.cast import Cast
from tests.intake.desk import point_scans_at
from tests.orders.make import make_pairing

TOKEN = "status-token"


@pytest.fixture(autouse=True)
def _portal(committed: None, tmp_path: Any, settings: Any) -> None:
    """Alive, with a disk of its own."""
    point_scans_at(settings, tmp_path / "scans")
    settings.STATUS_TOKEN = TOKEN
    heartbeat.beat(heartbeat.WORKER)
    heartbeat.beat(heartbeat.TICK)


@pytest.fixture
def pairing(cast: Cast) -> Pairing:
    return make_pairing(cast.lab_a, paired_at=timezone.now() - timedelta(days=1), succeeded_at=timezone.now())


def ask(token: str = TOKEN) -> Any:
    return Client().get("/status", headers={"Authorization": f"Bearer {token}"})


def line(name: str) -> tuple[str, str]:
    found = next(row for row in ask().json()["lines"] if row["name"] == name)
    return found["tone"], found["found"]


def grow_old(name: str, minutes: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE running_heartbeat SET at = now() - %s * interval '1 minute' WHERE name = %s", [minutes, name]
        )


def test_a_portal_that_works_is_200(pairing: Pairing) -> None:
    answer = ask()
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert answer.json()["status"] != "bad"
    assert line("silence") == ("ok", "all 1 connections were checked lately")


@pytest.mark.parametrize("token", ["", "x", TOKEN + "x"])
def test_without_the_token_there_is_no_such_address(token: str) -> None:
    answer = ask(token)
    assert answer.status_code == 404
    assert b"signs of life" not in answer.content


def test_an_installation_without_a_token_has_no_such_address(settings: Any) -> None:
    settings.STATUS_TOKEN = ""
    assert ask("").status_code == 404


def test_a_dead_worker_is_503(pairing: Pairing) -> None:
    for name in (heartbeat.WORKER, heartbeat.TICK):
        grow_old(name, 9)
    assert ask().status_code == 503
    assert line("signs of life") == ("bad", "worker_down (tick 540 s ago, worker 540 s ago)")


def test_connections_that_are_not_checked_are_counted_by_cause(pairing: Pairing, cast: Cast) -> None:
    make_pairing(cast.lab_b, paired_at=timezone.now(), succeeded_at=timezone.now())
    change(pairing, succeeded_at=timezone.now() - timedelta(hours=1), reason="connection_lost")
    assert ask().status_code == 503
    assert line("silence") == ("bad", "1 of 2 not checked: connection_lost")


def test_a_mail_that_could_not_be_sent_is_said(pairing: Pairing) -> None:
    with in_lab(pairing.lab_id):
        Alarm.objects.create(
            lab_id=pairing.lab_id, pairing=pairing, kind="stopped", since=timezone.now(), mail_error="SMTPConnectError"
        )
    assert line("mails") == ("look", "1 not sent: SMTPConnectError")


def test_it_names_no_lab_no_person_and_no_secret(pairing: Pairing, settings: Any) -> None:
    change(pairing, succeeded_at=timezone.now() - timedelta(hours=1), reason="timeout")
    said = ask().content.decode()
    assert [word for word in ("Lab A", "Test account", "anna", TOKEN, settings.SECRET_KEY) if word in said] == []


def test_doctor_says_the_same_as_json_and_exits_1_when_bad(
    pairing: Pairing, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (heartbeat.WORKER, heartbeat.TICK):
        grow_old(name, 9)
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (ended.value.code, said["status"]) == (1, "bad")
    assert {"settings", "walls", "signs of life", "silence"} <= {row["name"] for row in said["lines"]}
