"""What stands still is said at the top of every page, by the web process alone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from connector.orders import banners
from connector.pairing.models import Pairing
from labportal.labs.models import User
from labportal.running import heartbeat
from tests.align import change, words_on
from tests.cast import Cast
from tests.orders.make import make_pairing

DEAD = "The portal's background worker is not running, so no new cases come in and no returns go out."
STUCK = "The portal's background work stands still"
FULL = "The portal's disk is nearly full."


@pytest.fixture
def theo(committed: None, cast: Cast, client_of: Callable[[User], Client]) -> Client:
    """A technician at the inbox."""
    return client_of(cast.theo)


@pytest.fixture
def pairing(committed: None, cast: Cast) -> Pairing:
    now = timezone.now()
    return make_pairing(cast.lab_a, paired_at=now - timedelta(days=3), succeeded_at=now)


def beats(**minutes_ago: float) -> None:
    for name, minutes in minutes_ago.items():
        heartbeat.beat(name)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE running_heartbeat SET at = now() - %s * interval '1 minute' WHERE name = %s", [minutes, name]
            )


@pytest.mark.parametrize(
    ("ages", "said"),
    [
        ({}, ""),  # a new portal, whose worker has never run
        ({"worker": 0.1, "tick": 0.5}, ""),
        ({"worker": 0.1, "tick": 5}, ""),  # tasks of five minutes stand before it
        ({"worker": 0.1, "tick": 8}, STUCK),
        ({"worker": 0.1}, STUCK),
        ({"worker": 3, "tick": 3}, DEAD),
        ({"tick": 3}, DEAD),
        ({"worker": 600, "tick": 1}, ""),  # another machine's worker, of an older release
    ],
)
def test_a_page_says_when_nobody_works(theo: Client, ages: dict[str, float], said: str) -> None:
    beats(**ages)
    words = words_on(theo, "/")
    assert [line for line in (DEAD, STUCK) if line in words] == ([said] if said else [])


def test_it_says_that_nothing_is_lost_and_what_to_do(theo: Client) -> None:
    beats(worker=3, tick=3)
    assert f"{DEAD} {banners.NOTHING_LOST}" in words_on(theo, "/")


def test_a_dead_worker_is_said_once_and_not_for_each_connection_too(theo: Client, pairing: Pairing) -> None:
    change(pairing, succeeded_at=timezone.now() - timedelta(hours=2))
    assert "The connection “Test account”: Align was last checked 2 h ago." in words_on(theo, "/")
    beats(worker=3, tick=3)
    words = words_on(theo, "/")
    assert DEAD in words
    assert "The connection" not in words


def test_connections_names_the_dead_worker_as_the_cause(theo: Client, pairing: Pairing) -> None:
    change(pairing, succeeded_at=timezone.now() - timedelta(hours=2), reason="timeout")
    beats(worker=3, tick=3)
    words = words_on(theo)
    assert "Align was last checked 2 h ago. The portal's background worker is not running." in words


def test_a_disk_that_fills_up_is_said_before_downloads_stop(
    theo: Client, tmp_path: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SCANS_DIR = tmp_path
    monkeypatch.setattr(banners, "DISK_LOW", 0)
    assert FULL not in words_on(theo, "/")
    monkeypatch.setattr(banners, "DISK_LOW", 1 << 60)
    assert FULL in words_on(theo, "/")
