"""An address that takes no connection and refuses none: the first packet is dropped, as behind a firewall."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

TRIES = 20


@contextmanager
def black_hole(port: int) -> Iterator[None]:
    """On this port of 127.0.0.1, which must be free: a queue of connections that is full and that nobody empties."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    waiting: list[socket.socket] = []
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(0)
        for _ in range(TRIES):
            waiting.append(socket.socket())
            waiting[-1].settimeout(0.2)
            if waiting[-1].connect_ex(("127.0.0.1", port)) != 0:
                break
        yield
    finally:
        for one in (*waiting, listening):
            one.close()
