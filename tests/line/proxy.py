"""A TCP proxy that can be ill: it stands between the portal and Align's stand-in, and its toxics (toxics.py) work on
the answers. Real sockets on both sides; a thread of its own, so that the test goes on while bytes trickle.

The stand-in tells its addresses by the Host header it was called with, so whoever comes through the proxy stays on it.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.line.answers import Answer
from tests.line.toxics import Closed, Instead, Pieces, Reset, Stalled, Toxic

PIECE = 64 * 1024
NARROW = 16 * 1024  # the server must not believe to have delivered what is still with us


@dataclass
class Exchange:
    """One connection as it went: the request's first line, the server's status, when it began and ended (monotonic
    seconds), and how many bytes of the answer the client was sent."""

    began: float
    request_line: str = ""
    status: int = 0
    ended: float | None = None
    sent: int = 0


@dataclass
class Proxy:
    """Forwards to `port` of 127.0.0.1; `url` is its own address."""

    port: int
    exchanges: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._toxics: list[Toxic] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._own_port = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self.up()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._own_port}"

    def add(self, *toxics: Toxic) -> None:
        """They work on each matching exchange from now on, in this order."""
        with self._lock:
            self._toxics += toxics

    def clear(self) -> None:
        with self._lock:
            self._toxics.clear()

    def down(self) -> None:
        """Connections are refused, and those that are open are reset."""
        self._do(self._down())

    def up(self) -> None:
        """Listens, after the first time on the same port."""
        self._do(self._up())

    def asked(self, part: str) -> list[Exchange]:
        """The exchanges whose request line contains `part`."""
        return [one for one in self.exchanges if part in one.request_line]

    def most_at_once(self) -> int:
        """How many exchanges were open at the same moment, at most."""
        now = time.monotonic()
        marks = [(one.began, 1) for one in self.exchanges] + [(one.ended or now, -1) for one in self.exchanges]
        running = most = 0
        for _, change in sorted(marks):
            running += change
            most = max(most, running)
        return most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the thread; harmless a second time."""
        if self._loop.is_closed():
            return
        self.down()
        self._do(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _up(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._own_port)
            self._own_port = self._server.sockets[0].getsockname()[1]

    async def _down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0)  # a transport that was aborted just now lets go of its socket in the next turn

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = Exchange(time.monotonic())
        self.exchanges.append(exchange)
        writer.transport.set_write_buffer_limits(0)  # drain() then means: the kernel has it
        try:
            await self._answer(exchange, reader, writer)
        except (Reset, asyncio.CancelledError):
            await _reset(writer)
        except (OSError, Closed, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a client that gave up, or a server that is not there
        finally:
            exchange.ended = time.monotonic()
            await _close(writer)

    async def _answer(self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._exchange(exchange, reader, writer)
        except Stalled:
            await reader.read()  # until the client has had enough

    async def _exchange(self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readline()
        exchange.request_line = first.decode(errors="replace").strip()
        toxics = self._working_on(exchange.request_line)
        if alone := next((toxic for toxic in toxics if isinstance(toxic, Instead)), None):
            await _read_request(reader)
            exchange.status, exchange.sent = Answer(exchange.request_line, alone.answer).status, len(alone.answer)
            writer.write(alone.answer)
            await writer.drain()
            return
        from_server, to_server = await asyncio.open_connection(sock=await _connected(self.port), limit=NARROW)
        to_server.write(first)
        sending = asyncio.create_task(_pump(reader, to_server))
        try:
            head = _last_of_connection(await from_server.readuntil(b"\r\n\r\n"))
            answer = Answer(exchange.request_line, head)
            exchange.status = answer.status
            pieces = _body(head, from_server, answer.length)
            for toxic in toxics:
                pieces = toxic.flow(pieces, answer)
            async for piece in pieces:
                writer.write(piece)
                await writer.drain()
                exchange.sent += len(piece)
        finally:
            sending.cancel()
            to_server.transport.abort()
            await asyncio.gather(sending, return_exceptions=True)
            await _close(to_server)

    def _working_on(self, request_line: str) -> list[Toxic]:
        with self._lock:
            working = [toxic for toxic in self._toxics if toxic.takes(request_line)]
            for toxic in working:
                if toxic.times and (toxic.skip + toxic.times) <= 0:
                    self._toxics.remove(toxic)
        return working


async def _read_request(reader: asyncio.StreamReader) -> None:
    """To its end: what is left unread when a socket closes makes a reset of it."""
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(Answer("", head).length or 0)


async def _connected(port: int) -> socket.socket:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    except BaseException:
        sock.close()
        raise
    return sock


def _last_of_connection(head: bytes) -> bytes:
    """One exchange for each connection: a client must not try to use it again."""
    return head if b"\r\nconnection: close" in head.lower() else head[:-2] + b"Connection: close\r\n\r\n"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()


async def _body(head: bytes, reader: asyncio.StreamReader, length: int | None) -> Pieces:
    """The head, then the body to its declared length or to the end of the stream."""
    yield head
    left = length
    while left is None or left > 0:
        piece = await reader.read(PIECE if left is None else min(PIECE, left))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


async def _close(writer: asyncio.StreamWriter) -> None:
    """Let go of the socket before the thread may end."""
    writer.close()
    try:
        await writer.wait_closed()
    except asyncio.CancelledError:
        writer.transport.abort()
    except OSError:
        pass  # the other side was faster


async def _reset(writer: asyncio.StreamWriter) -> None:
    """RST, after what was sent has left: what a reset discards is not for us to choose."""
    sock = writer.get_extra_info("socket")
    for _ in range(50):
        if not struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]:
            break
        await asyncio.sleep(0.01)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
