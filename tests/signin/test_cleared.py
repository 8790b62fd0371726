"""Rows of sessions that are over are cleared away by the tick; those of people at work stay."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from labportal.signin import cleared
from labportal.tick import tick
from tests.signin.conftest import is_in, log_in


def key_of(client: Client) -> str:
    return str(client.cookies["sessionid"].value)


def expire(*clients: Client) -> None:
    """As if the day after nobody had come back to these."""
    keys, yesterday = [key_of(client) for client in clients], timezone.now() - timedelta(days=1)
    Session.objects.filter(pk__in=keys).update(expire_date=timezone.now() - timedelta(hours=1))
    UserSession.objects.filter(session_key__in=keys).update(created_at=yesterday)


def an_hour_later() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE running_heartbeat SET at = at - interval '1 hour' WHERE name = 'sessions'")
    tick()


def rows() -> tuple[set[str], set[str]]:
    return set(Session.objects.values_list("pk", flat=True)), set(
        UserSession.objects.values_list("session_key", flat=True)
    )


def test_the_tick_clears_away_what_is_over_and_nothing_else(cast):
    over, alive = log_in(cast.theo), log_in(cast.theo)
    over.post("/search", {"q": "Lindqvist"})
    assert "searches" in over.session
    expire(over)
    assert {key_of(over), key_of(alive)} == rows()[0] == rows()[1]
    tick()
    assert rows() == ({key_of(alive)}, {key_of(alive)})
    assert is_in(alive)


def test_it_does_so_once_an_hour(cast):
    tick()
    over = log_in(cast.theo)
    expire(over)
    tick()
    assert rows()[0] == {key_of(over)}
    an_hour_later()
    assert rows() == (set(), set())


def test_who_signed_out_leaves_no_browser_behind_after_half_a_day(cast):
    theo = log_in(cast.theo)
    theo.post("/accounts/logout/")
    assert UserSession.objects.count() == 1
    tick()
    assert UserSession.objects.count() == 1
    UserSession.objects.update(created_at=timezone.now() - timedelta(hours=12, minutes=1))
    an_hour_later()
    assert not UserSession.objects.exists()


def test_the_browser_of_a_session_that_is_getting_another_key_stays(cast):
    """Its row is found by the key: were it gone, nobody could sign this browser out from elsewhere."""
    theo = log_in(cast.theo)
    Session.objects.all().delete()
    tick()
    assert rows()[1] == {key_of(theo)}


def test_many_go_in_small_batches(cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cleared, "BATCH", 2)
    expire(*[log_in(cast.theo) for _ in range(5)])
    assert cleared.clear() == 10
    expire(*[log_in(cast.theo) for _ in range(5)])
    monkeypatch.setattr(cleared, "BATCHES", 1)
    assert cleared.clear() == 4
