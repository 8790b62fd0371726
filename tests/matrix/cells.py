"""The matrix: every address of the URLconf and of the OpenAPI document, by every method, with every kind of id."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import get_resolver

from connector.lms.api import api
from connector.lms.openapi import published
from tests.isolation.routes import ROUTES
from tests.isolation.test_every_url import ELSEWHERE, walk
from tests.isolation.world import World
from tests.matrix.visitors import Visitor

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SAFE = {"GET", "HEAD", "OPTIONS"}
OWN, FOREIGN, MIXED, RANDOM, MALFORMED = "own", "foreign", "mixed", "random", "malformed"
ADDRESSES = {
    name: "/" + pattern for name, pattern in walk(get_resolver().url_patterns) if not name.startswith(ELSEWHERE)
}
HOLE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
BAD = ("x", "-1", "00000000-0000-0000-0000-00000000000g", "%00", "%2e%2e%2f", "a" * 300, "' OR 1=1--", "%E2%80%AE")


@dataclass(frozen=True)
class Cell:
    """One request to be: `kind` says whose the ids are."""

    name: str
    method: str
    kind: str
    path: str
    form: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.name} ({self.kind})"


def cells_of(name: str, visitor: Visitor, *, methods: tuple[str, ...] = METHODS) -> Iterator[Cell]:
    """Every request of this visitor to this address. Without ids there is one kind: their own place."""
    for method in methods:
        for kind, ids in _ids(name, visitor):
            if kind == MALFORMED and method not in {"GET", "POST"}:
                continue  # the address is read the same way for each
            yield Cell(name, method, kind, _path(name, ids), _form(name, ids))


def _ids(name: str, visitor: Visitor) -> Iterator[tuple[str, dict[str, str]]]:
    holes = _holes(name)
    if visitor.own is not None or not holes:
        yield OWN, ids_of(visitor.own) if visitor.own else nothing()
    if not holes:
        return
    for other in visitor.others:
        yield FOREIGN, ids_of(other)
        if visitor.own is not None and len(holes) > 1:
            mine, theirs = ids_of(visitor.own), ids_of(other)
            for hole in sorted(holes - {"number"}):
                yield MIXED, mine | {hole: theirs[hole]}
    yield RANDOM, nothing()
    for bad in BAD:
        yield MALFORMED, dict.fromkeys(nothing(), bad)


def _holes(name: str) -> set[str]:
    """What the address or the form takes from outside."""
    route = ROUTES[name]
    return {
        *(route.uses.get(hole, hole) for hole in route.takes),
        *(hole for value in route.form.values() for hole in re.findall(r"{(\w+)}", value)),
    }


def ids_of(world: World) -> dict[str, str]:
    return nothing() | world.ids() | {"picture_id": str(world.picture.pk)}


def nothing() -> dict[str, str]:
    """Ids of nothing, well formed."""
    names = (
        "order_id",
        "file_id",
        "picture_id",
        "pairing_id",
        "attempt_id",
        "membership_id",
        "invitation_id",
        "api_key_id",
    )
    other = {"number": "1", "secret": "y" * 43, "key": "y", "token": "y", "uidb36": "2", "pk": "0", "slug": "nobody"}
    return {name: str(uuid.uuid4()) for name in names} | other


def _path(name: str, ids: dict[str, str]) -> str:
    uses = ROUTES[name].uses
    return HOLE.sub(lambda hole: _of(ids, uses.get(hole[1] or hole[2], hole[1] or hole[2])), ADDRESSES[name])


def _of(ids: dict[str, str], name: str) -> str:
    return ids.get(name, "0")


def _form(name: str, ids: dict[str, str]) -> dict[str, str]:
    return {key: value.format_map(_Filled(ids)) for key, value in ROUTES[name].form.items()}


class _Filled(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "0"


def documented() -> set[tuple[str, str]]:
    """(address pattern, method) of every operation that the OpenAPI document names."""
    paths: dict[str, dict[str, Any]] = published(api)["paths"]
    return {(path, method.upper()) for path, operations in paths.items() for method in operations}
