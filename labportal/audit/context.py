"""Who acts, and from which address: set once at a door (request, API key, task, command), asked by every entry."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import HttpRequest

PERSON, OPERATOR, KEY, VISITOR = "person", "operator", "key", "visitor"
SYSTEM, COMMAND, VENDOR = "system", "command", "vendor"
ADMIN = "/admin/"


@dataclass(frozen=True)
class Actor:
    """`id` of a person or an API key; `code` is a key's prefix, a task's or a command's name."""

    kind: str
    id: UUID | None = None
    code: str = ""


NOBODY = Actor(SYSTEM)


@dataclass
class Acting:
    """What a door knows. A request's person is asked for at each entry: a log-in changes them in the middle."""

    actor: Actor | None = None
    ip: str = ""
    lab_id: UUID | None = None
    request: HttpRequest | None = None
    refusals: list[Any] = field(default_factory=list)

    def who(self) -> Actor:
        if self.actor is not None or self.request is None:
            return self.actor or NOBODY
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            return Actor(VISITOR)
        operating = user.is_staff and self.request.path_info.startswith(ADMIN)
        return Actor(OPERATOR if operating else PERSON, user.pk)


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


def current() -> Acting:
    return _acting.get() or Acting()


@contextmanager
def acting(actor: Actor | None = None, *, request: HttpRequest | None = None, ip: str = "") -> Iterator[Acting]:
    """Everything recorded inside is this actor's, or that of the request's person."""
    door = Acting(actor=actor, request=request, ip=ip)
    token = _acting.set(door)
    try:
        yield door
    finally:
        _acting.reset(token)


def act_as(actor: Actor, *, lab_id: UUID | None = None) -> None:
    """From here on the running request is this actor's: it came with an API key, or from the vendor."""
    door = _acting.get()
    if door is not None:
        door.actor, door.lab_id = actor, lab_id
