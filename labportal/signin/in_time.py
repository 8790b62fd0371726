"""What bounds a call to a lab's provider, while a web thread waits for it: it ends in time, however it drips, and few
run at once."""

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Of a process's twelve threads (labportal/running/web.py); who finds no place waits so long for one.
AT_ONCE, WAIT = 3, 1.0
_places = threading.BoundedSemaphore(AT_ONCE)


class Stop(Exception):
    """A call that ends here. Inside of urllib3, which would wrap a RequestException: that is an OSError."""


@contextmanager
def place() -> Iterator[None]:
    """Errors: Stop."""
    if not _places.acquire(timeout=WAIT):
        raise Stop("busy")
    try:
        yield
    finally:
        _places.release()


def left(until: float) -> float:
    """Seconds. Errors: Stop."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise Stop("too_slow")
    return seconds


class _Reader(io.RawIOBase):
    """A socket's reading side for the time-out that the socket has now: by itself it would begin anew at each byte."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw, self._sock = raw, sock
        self._until = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        """As of the socket. Errors: Stop, and the socket's own."""
        self._sock.settimeout(left(self._until))
        try:
            return self._raw.readinto(buffer)
        except TimeoutError as error:
            raise Stop("too_slow") from error

    def close(self) -> None:
        self._raw.close()
        super().close()


class Response(http.client.HTTPResponse):
    """Head and body together come within the read time-out, which urllib3 has just given to the socket."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Reader(self.fp.detach(), sock))
