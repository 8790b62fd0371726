"""The doctor's quick half for a monitoring system: what changes by itself. GET /status, or manage.py doctor --json."""

from typing import Any

from labportal.keeping.doctor import examine
from labportal.keeping.doctor_line import BAD, LOOK, OK, Line

QUICK = ("database role", "clock", "signs of life", "disk", "queue", "connections", "silence", "safe mode")
ORDER = (OK, LOOK, BAD)


def status() -> dict[str, Any]:
    return as_json(examine(QUICK))


def as_json(lines: list[Line]) -> dict[str, Any]:
    """`status` is the worst tone: ok, look or bad."""
    worst = max((line.tone for line in lines), key=ORDER.index, default=OK)
    return {
        "status": worst,
        "lines": [{"tone": line.tone, "name": line.name, "found": line.found, "todo": line.todo} for line in lines],
    }
