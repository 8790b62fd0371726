"""The one schedule: every app looks for its own due work, every minute and whenever somebody rings for it."""

import logging
from collections.abc import Callable

from labportal.running.clock import refuse_wrong_clock

log = logging.getLogger(__name__)
_sweepers: list[Callable[[], None]] = []


def on_tick(sweep: Callable[[], None]) -> None:
    """Register an app's sweep; it finds that app's due work from its own tables and rings for it."""
    _sweepers.append(sweep)


def tick() -> None:
    """One app's failure does not stop the others; it is recorded, and raised again at the end."""
    refuse_wrong_clock()
    failed: list[str] = []
    for sweep in _sweepers:
        try:
            sweep()
        except Exception as error:  # recorded by type only: its text may hold data
            log.error("sweep_failed %s %s", sweep.__module__, type(error).__name__)
            failed.append(sweep.__module__)
    if failed:
        raise RuntimeError(f"sweep failed: {', '.join(failed)}")
