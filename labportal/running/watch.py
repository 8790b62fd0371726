"""While no tick comes, the web process sees to what the tick would: a dead worker can't mail that it is dead."""

import logging
import threading
from collections.abc import Callable

from django.db import close_old_connections, connections

from labportal.running import heartbeat

log = logging.getLogger(__name__)
EVERY = 60.0  # seconds
_watchers: list[Callable[[], None]] = []


def on_watch(look: Callable[[], None]) -> None:
    """Register what is to be done while no tick comes. It runs in several web processes at once, beside requests."""
    _watchers.append(look)


def watch() -> None:
    """One round. Nothing is done while the tick runs, nor on a portal where nothing ever ran."""
    if not heartbeat.is_late():
        return
    for look in _watchers:
        try:
            look()
        except Exception as error:  # recorded by type only: its text may hold data
            log.error("watch_failed %s %s", look.__module__, type(error).__name__)


def start(every: float = EVERY) -> threading.Event:
    """Watch in a thread of this process until the event is set. The database may be away."""
    stopped = threading.Event()

    def run() -> None:
        while not stopped.wait(every):
            try:
                close_old_connections()
                watch()
            except Exception as error:  # the database is away: as above
                log.error("watch_failed %s", type(error).__name__)
        connections.close_all()

    threading.Thread(target=run, name="watch", daemon=True).start()
    return stopped
