"""Asking, and what is wrong with an answer: a word of another lab, a telling difference, a changed row, a crash."""

from collections.abc import Callable, Iterable
from typing import Any

from django.core.cache import cache
from django.test import Client

from tests.isolation.test_every_url import Answer, seen_by
from tests.isolation.world import World, fingerprint
from tests.matrix.cells import FOREIGN, MALFORMED, MIXED, OWN, RANDOM, SAFE, Cell
from tests.matrix.findings import Findings
from tests.matrix.visitors import Visitor

# The same for whoever is wrong; guesses at them are limited, so the answers to many of them are the limit's.
OF_NO_LAB = ("account_", "mfa_", "usersessions", "invitation", "sign_up", "sso", "openid", "socialaccount", "company")


def ask(client: Client, cell: Cell) -> Answer:
    call: Callable[..., Any] = getattr(client, cell.method.lower())
    response = call(cell.path) if cell.method in SAFE else call(cell.path, **_body(cell))
    body = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    return Answer(response.status_code, dict(response.headers), body)


def _body(cell: Cell) -> dict[str, Any]:
    return {"data": cell.form} if cell.method == "POST" else {"data": b"{}", "content_type": "application/json"}


def judge(visitor: Visitor, cells: Iterable[Cell], *, watched: Iterable[World]) -> Findings:
    """All of these requests by one visitor. Own things are not touched by unsafe methods here: what they do is tested
    where they live."""
    found, client = Findings(), visitor.open()
    client.raise_request_exception = False
    asked = [cell for cell in cells if cell.kind != OWN or cell.method != "POST"]
    labs = {world.order.lab_id for world in watched}
    for group in filter(None, (_safe(asked), _unsafe(asked))):
        cache.clear()  # the limits of the log-in count requests, not people
        before = {lab: fingerprint(lab) for lab in labs}
        answers = [(cell, ask(client, cell)) for cell in group]
        found.cells += len(answers)
        for cell, answer in answers:
            _look(visitor, cell, answer, found)
        _compare(visitor, answers, found)
        for lab in labs:
            if changed := _changes(before[lab], fingerprint(lab), group[0].method in SAFE):
                found.changed.add(f"{visitor.name}: {group[0]} and the like changed {', '.join(changed)}")
    return found


def _safe(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.method in SAFE]


def _unsafe(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.method not in SAFE]


# Who looked and who was refused is written down, and when a key was last used; an own case that is opened is marked.
NOTED = {"audit_entry", "audit_head", "lms_apikey"}
SEEN = {"orders_seenby", "orders_timelineevent"}


def _changes(before: dict[str, str], after: dict[str, str], safe: bool) -> list[str]:
    noted = NOTED | SEEN if safe else NOTED
    return sorted(table for table in before if before[table] != after[table] and table not in noted)


def _look(visitor: Visitor, cell: Cell, answer: Answer, found: Findings) -> None:
    if answer.status >= 500 and answer.status != 503:
        found.crashed.add(f"{visitor.name}: {cell} → {answer.status}")
    if cell.kind == MALFORMED and answer.status == 200 and not cell.name.startswith(OF_NO_LAB) and _takes(cell):
        found.differing.add(f"{visitor.name}: {cell} is answered: {cell.path[:60]}")
    text = answer.body + repr(answer.headers).encode()
    for other in visitor.others:
        if other.mark.encode() in text:
            found.leaks.add(f"{visitor.name}: {cell} shows {other.mark}")


def _takes(cell: Cell) -> bool:
    """Whether the address itself has an id in it; forms are told in words, on a page."""
    return not cell.form


def _compare(visitor: Visitor, answers: list[tuple[Cell, Answer]], found: Findings) -> None:
    """Foreign and mixed ids answer as ids of nothing do."""
    nothing = {cell.method: seen_by(answer) for cell, answer in answers if cell.kind == RANDOM}
    for cell, answer in answers:
        if cell.kind not in {FOREIGN, MIXED} or cell.name.startswith(OF_NO_LAB):
            continue
        missing = nothing[cell.method]
        if seen_by(answer) != missing:
            found.differing.add(f"{visitor.name}: {cell} → {answer.status}, nothing → {missing.status}")
