"""What a request finds out and must be kept although its own transaction is rolled back: done when that has ended."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from labportal.audit.context import SYSTEM, Actor, acting

log = logging.getLogger(__name__)
_waiting: ContextVar[list[Callable[[], object]] | None] = ContextVar("afterwards", default=None)


def afterwards(act: Callable[[], object]) -> None:
    """Do it when the running request's transaction has ended, whichever way; outside of a request, now. It is an act
    of the portal's own, not of the person who asked."""
    waiting = _waiting.get()
    if waiting is None:
        act()
    else:
        waiting.append(act)


@contextmanager
def at_the_end() -> Iterator[None]:
    """Open it around the request's transaction. What fails here is logged, and changes the answer no more."""
    acts: list[Callable[[], object]] = []
    token = _waiting.set(acts)
    try:
        yield
    finally:
        _waiting.reset(token)
        for act in acts:
            try:
                with acting(Actor(SYSTEM, code="afterwards")):
                    act()
            except Exception as error:  # by type only: its text may hold data
                log.error("afterwards_failed %s", type(error).__name__)
