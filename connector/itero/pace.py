"""The least progress that an answer must make: a read time-out alone is kept alive for ever by a byte now and then."""

import io
import time
from collections import deque
from typing import Any, NamedTuple

from connector.itero.errors import TooSlow

_MARKS = 20


class Pace(NamedTuple):
    """At least `least` bytes in any `seconds` of waiting for them."""

    seconds: float
    least: int


# At a kilobyte a second, a case of 20 MB would take longer than a download may.
PACE = Pace(60, 64 * 1024)


class Progress:
    """Bytes over the time that was spent waiting for the line; a slow disk of ours is not the line's fault. Counts from
    the first byte: until then the read time-out watches."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._waited = 0.0
        self._came = 0
        self._marks: deque[tuple[float, int]] = deque([(0.0, 0)])

    def note(self, waited: float, count: int) -> None:
        """After each read that brought bytes. Errors: TooSlow."""
        if self._came:
            self._waited += waited
        self._came += count
        if self._waited - self._marks[-1][0] >= self._pace.seconds / _MARKS:
            self._marks.append((self._waited, self._came))
        since = self._waited - self._pace.seconds
        while len(self._marks) > 1 and self._marks[1][0] <= since:
            self._marks.popleft()
        if self._marks[0][0] <= since and self._came - self._marks[0][1] < self._pace.least:
            raise TooSlow("fewer bytes than the least progress")


class PacedReader(io.RawIOBase):
    """A socket's reading side that ends an answer which makes too little progress, in its head or body."""

    def __init__(self, raw: io.RawIOBase, pace: Pace) -> None:
        super().__init__()
        self._raw = raw
        self._progress = Progress(pace)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As of the socket. Errors: TooSlow, and the socket's own."""
        begun = time.monotonic()
        count = self._raw.readinto(buffer)
        if count:
            self._progress.note(time.monotonic() - begun, count)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
