"""The frame of every task: what goes wrong inside leaves as a type and a code.

The queue stores a failed task's exception and traceback in clear, and a database error's text quotes the row that it
refused. So the original is logged by places only (labportal/logs.py) and never leaves the task.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from labportal.audit.context import SYSTEM, Actor, acting
from labportal.logs import code_of
from labportal.running.clock import refuse_wrong_clock
from labportal.running.liveness import busy

P = ParamSpec("P")
log = logging.getLogger(__name__)


class TaskFailed(Exception):
    """A task ended by an exception; the text is its type and code."""


def door(task: Callable[P, None]) -> Callable[P, None]:
    """Mark a function as a task of the queue."""

    @wraps(task)
    def framed(*args: P.args, **kwargs: P.kwargs) -> None:
        failed = ""
        try:
            refuse_wrong_clock()
            with busy(), acting(Actor(SYSTEM, code=f"{task.__module__}.{task.__qualname__}")):
                task(*args, **kwargs)
        except Exception as error:
            log.exception("task_failed %s", task.__qualname__)
            failed = f"{task.__module__}.{task.__qualname__}: {type(error).__name__} {code_of(error)}".rstrip()
        if failed:
            # Raised outside of the except block: a chained exception would bring the original text along.
            raise TaskFailed(failed)

    return framed
