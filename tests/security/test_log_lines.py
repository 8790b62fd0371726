"""A log line: one record, when, how bad, from where; what comes from outside writes no second one."""

import logging
import re
import sys
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from labportal.logs import PlacesOnly

FORMAT: Any = settings.LOGGING["formatters"]["line"]["format"]


def line(message: str, *arguments: object, failed: bool = False) -> str:
    try:
        raise ValueError("patient Ada Lovelace")
    except ValueError:
        info = sys.exc_info() if failed else None
    record = logging.LogRecord("connector.intake", logging.WARNING, __file__, 1, message, arguments, info)
    return PlacesOnly(FORMAT).format(record)


@pytest.mark.parametrize("break_", ["\n", "\r\n", "\x0b", "\x1b[2J", "\x85", "\u2028", "\x00"])
def test_what_comes_from_outside_begins_no_line_of_its_own(break_: str) -> None:
    forged = f"x{break_}2026-01-01T00:00:00.000Z INFO labportal all is well"
    found = line("refused: %s", forged)
    assert len(found.splitlines()) == 1
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", found)
    assert "all is well" in found


def test_every_line_says_when_how_bad_and_from_where() -> None:
    found = line("pairing_stopped reason=%s", "forbidden")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING connector\.intake pairing_stopped reason=forbidden", found
    )


def test_a_failure_is_told_by_its_places_and_type_alone() -> None:
    found = line("failed", failed=True)
    assert "builtins.ValueError" in found
    assert "test_log_lines.py" in found
    assert "Ada" not in found


def test_logs_go_to_standard_error_and_nowhere_else() -> None:
    handlers: Any = settings.LOGGING["handlers"]
    assert {name: each["class"] for name, each in handlers.items()} == {"stderr": "logging.StreamHandler"}
    loggers: Any = settings.LOGGING["loggers"]
    assert {name for each in loggers.values() for name in each.get("handlers", [])} <= {"stderr"}


@pytest.mark.usefixtures("committed")
def test_a_limit_that_was_hit_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    cache.clear()
    visitor = Client()
    for number in range(31):
        answer = visitor.post("/accounts/login/", {"login": f"guess{number}@example.com", "password": "guess"})
    assert answer.status_code == 429
    lines = [PlacesOnly(FORMAT).format(record) for record in caplog.records if "Too Many Requests" in record.message]
    assert lines
    assert all("/accounts/login/" in each and "guess" not in each for each in lines)
