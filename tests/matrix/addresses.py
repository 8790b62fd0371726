"""Every address of the portal with what it takes; the operator's stock pages of Django's admin stand elsewhere."""

import re
from typing import Any

from django.urls import get_resolver

from connector.lms.api import api
from connector.lms.openapi import published
from tests.isolation.routes import ROUTES, Route
from tests.isolation.test_every_url import walk

REFUSED, BEGUN = "login 403 404 403 403 403 403", "login 403 ok 403 403 403 403"
# The operator's look into a lab's cases: inside the admin's door, with its own proofs in tests/break_glass/.
BREAK_GLASS = {
    "break_glass": Route(BEGUN, BEGUN, (), {"lab": "lab-b", "reason": "as they asked for", "minutes": "15"}),
    "break_glass_cases": Route(REFUSED, REFUSED, ("look_id",)),
    "break_glass_case": Route(REFUSED, REFUSED, ("look_id", "order_id")),
    "break_glass_end": Route(REFUSED, REFUSED, ("look_id",)),
}
TABLE = ROUTES | BREAK_GLASS
# One rule for all of them, in tests/isolation/test_admin_addresses.py.
ADMIN = "admin:"
WALKED = [(name, "/" + path) for name, path in walk(get_resolver().url_patterns) if not name.startswith(ADMIN)]
ADDRESSES = dict(WALKED)
HOLE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


def path_of(name: str, ids: dict[str, str]) -> str:
    uses = TABLE[name].uses
    return HOLE.sub(lambda hole: ids.get(uses.get(hole[1] or hole[2], hole[1] or hole[2]), "0"), ADDRESSES[name])


def form_of(name: str, ids: dict[str, str]) -> dict[str, str]:
    return {key: value.format_map(_Filled(ids)) for key, value in TABLE[name].form.items()}


def holes_of(name: str) -> set[str]:
    """What the address or the form takes from outside."""
    route = TABLE[name]
    return {
        *(route.uses.get(hole, hole) for hole in route.takes),
        *(hole for value in route.form.values() for hole in re.findall(r"{(\w+)}", value)),
    }


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "0"


def documented() -> set[tuple[str, str]]:
    """(address pattern, method) of every operation that the OpenAPI document names."""
    paths: dict[str, dict[str, Any]] = published(api)["paths"]
    return {(path, method.upper()) for path, operations in paths.items() for method in operations}
