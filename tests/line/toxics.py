"""What can be wrong with a line, in toxiproxy's words: a toxic is a filter over one answer's bytes on their way.

An answer is a stream of pieces of which the first is its whole head; positions of a toxic are fractions of the body
(by its Content-Length) or bytes of the stream. A toxic ends a stream by raising Reset, Closed or Stalled.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from tests.line.answers import Answer

Pieces = AsyncIterator[bytes]
STEP = 16 * 1024


class Reset(Exception):
    """The client's connection ends with a TCP reset."""


class Closed(Exception):
    """The client's connection ends in the ordinary way, with or without all of the answer."""


class Stalled(Exception):
    """Nothing more comes, and the connection stays open: a black hole."""


@dataclass(kw_only=True)
class Toxic:
    """Works on exchanges whose request line contains `on`; lets `skip` of them pass, then works `times` times (0: until
    it is taken away)."""

    on: str = ""
    times: int = 0
    skip: int = 0

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        """The answer's pieces as the client gets them."""
        async for piece in pieces:
            yield piece

    def takes(self, request_line: str) -> bool:
        """Whether this exchange is meant; counts it."""
        if self.on not in request_line:
            return False
        self.skip -= 1
        return self.skip < 0


@dataclass(kw_only=True)
class Latency(Toxic):
    """Each piece comes `seconds` ± `jitter` later."""

    seconds: float
    jitter: float = 0.0

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        async for piece in pieces:
            await asyncio.sleep(max(0.0, self.seconds + random.uniform(-self.jitter, self.jitter)))
            yield piece


@dataclass(kw_only=True)
class Bandwidth(Toxic):
    """At most `rate` bytes a second; `head` too when the head is to trickle as well."""

    rate: int
    head: bool = False

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        size = max(1, self.rate // 10)
        async for piece in pieces:
            if not self.head and piece is answer.head:
                yield piece
                continue
            for start in range(0, len(piece), size):
                part = piece[start : start + size]
                yield part
                await asyncio.sleep(len(part) / self.rate)


@dataclass(kw_only=True)
class Slicer(Toxic):
    """Pieces of `size` bytes, `delay` seconds apart."""

    size: int
    delay: float = 0.0

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        async for piece in pieces:
            for start in range(0, len(piece), self.size):
                yield piece[start : start + self.size]
                await asyncio.sleep(self.delay)


async def _first(pieces: Pieces, count: int) -> Pieces:
    """The stream's first `count` bytes, in small pieces."""
    left = count
    async for piece in pieces:
        for start in range(0, len(piece), STEP):
            part = piece[start : start + STEP][:left]
            left -= len(part)
            if part:
                yield part
            if left <= 0:
                return


@dataclass(kw_only=True)
class ResetPeer(Toxic):
    """A TCP reset behind `at` of the body; None: before the answer's first byte, when the server has acted already."""

    at: float | None = None

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        if self.at is not None:
            async for piece in _first(pieces, answer.position(self.at)):
                yield piece
        raise Reset


@dataclass(kw_only=True)
class LimitData(Toxic):
    """An ordinary end after `count` bytes of the stream, head included."""

    count: int

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        async for piece in _first(pieces, self.count):
            yield piece
        raise Closed


@dataclass(kw_only=True)
class Truncate(Toxic):
    """An ordinary end behind `at` of the body; with `admit` the head declares the shorter length, so that nothing but
    the content itself tells."""

    at: float
    admit: bool = False

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        left = int((answer.length or 0) * self.at)
        async for piece in pieces:
            if piece is answer.head:
                yield answer.head_declaring(left) if self.admit else piece
                continue
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                break
        raise Closed


@dataclass(kw_only=True)
class Timeout(Toxic):
    """Silence behind `at` of the body, None: before the answer's first byte. The connection stays open."""

    at: float | None = None

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        if self.at is not None:
            async for piece in _first(pieces, answer.position(self.at)):
                yield piece
        raise Stalled


@dataclass(kw_only=True)
class SlowClose(Toxic):
    """The end of the connection comes `seconds` after the last byte."""

    seconds: float

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        async for piece in pieces:
            yield piece
        await asyncio.sleep(self.seconds)


@dataclass(kw_only=True)
class Instead(Toxic):
    """A gateway that answers by itself: the server never hears of it."""

    answer: bytes


@dataclass(kw_only=True)
class Rewrite(Toxic):
    """A gateway that changes what it passes on: `change` gets the whole answer and gives the bytes to send."""

    change: Callable[[Answer], bytes]

    async def flow(self, pieces: Pieces, answer: Answer) -> Pieces:
        answer.body = b"".join([piece async for piece in pieces if piece is not answer.head])
        yield self.change(answer)
