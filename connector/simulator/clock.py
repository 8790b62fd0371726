"""The vendor's clock: real time plus an offset that a test can push forward."""

import time
from datetime import UTC, datetime

from connector.simulator.state import World


class Clock:
    """Seconds since the epoch as the vendor sees them; the offset lives in the world, so it survives a restart."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> float:
        return time.time() + self._world.clock_offset

    def advance(self, seconds: float) -> float:
        """Moves the clock and answers the new time; tokens expire and re-scans fall due by it."""
        with self._world.change():
            self._world.clock_offset += seconds
        return self.now()


def iso_seconds(moment: float) -> str:
    """`2026-11-20T14:03:11Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def iso_milliseconds(moment: float) -> str:
    """`2026-11-20T14:03:11.250Z`: fine enough that two revisions never share their date."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
