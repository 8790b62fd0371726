"""Which of a lab's pairings the running request may see: all of them, or only those that a person or key is given.

One value, read by both walls: by `LabQuerySet.of`, through which every read of a case goes, and by the policies of the
database, as the transaction's setting `app.pairings`. So no view can forget it. Tasks and commands see all.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

Scope = frozenset[UUID] | None  # None: all pairings of the lab. An empty set: none.

ALL = "*"  # in the database; unset or empty shows nothing there
_scope: ContextVar[Scope] = ContextVar("pairings", default=None)


def current() -> Scope:
    """The pairings that may be seen now."""
    return _scope.get()


def scope_of(pairings: Collection[UUID] | None) -> Scope:
    """What a membership's or key's column says: NULL is all."""
    return None if pairings is None else frozenset(pairings)


@contextmanager
def seeing(scope: Scope) -> Iterator[None]:
    """Transactions that are opened inside see only `scope`; whatever changes it inside is undone afterwards."""
    token = _scope.set(scope)
    try:
        yield
    finally:
        _scope.reset(token)


def change(scope: Scope) -> None:
    """For the rest of the enclosing `seeing`; the running transaction learns it by the next `name_lab` (tenancy.py)."""
    _scope.set(scope)


def as_setting() -> str:
    """The current scope as the database reads it."""
    scope = current()
    return ALL if scope is None else ",".join(str(pairing) for pairing in scope)
