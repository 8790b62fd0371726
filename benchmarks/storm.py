"""Sends pushes at a fixed rate, whether they are answered or not, as a vendor does: one process, raw sockets.

What is refused with 503 or 429 is sent again when Retry-After says, a few times.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from random import Random

ANSWER_SECONDS = 30.0
TRIES = 5
RETRY_AFTER = re.compile(rb"\r\nretry-after: (\d+)\r\n", re.IGNORECASE)


@dataclass
class Outcome:
    """`waits` are seconds from the moment at which a push was due to the answer to its first try; `later` counts pushes
    that were refused first and accepted afterwards, `given_up` those that never were. `sent_at`: the seconds at which
    each push left for the first time, `seconds`: when the last one was over, tries included."""

    statuses: Counter[str] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    accepted_waits: list[float] = field(default_factory=list)
    refused_waits: list[float] = field(default_factory=list)
    later: int = 0
    given_up: int = 0
    without_retry_after: int = 0
    sent_at: list[float] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True)
class Push:
    """`due` in the loop's seconds; `tried` how often it was refused."""

    due: float
    rx_id: str
    tried: int = 0


def plan(distinct: int, times: int, seed: int = 1) -> list[str]:
    """`distinct` RxIDs, each `times` times, shuffled: of ten times, nine are duplicates."""
    names = [f"rx-{seed}-{number}" for number in range(distinct)] * times
    Random(seed).shuffle(names)  # noqa: S311 - a repeatable order, no secret
    return names


class Vendor:
    """Align, for the length of a storm; `tries` is how often a push is sent before it is given up."""

    def __init__(self, host: str, port: int, path: str, *, tries: int = TRIES) -> None:
        self.host, self.port, self.path, self.tries = host, port, path, tries
        self.waiting: asyncio.Queue[Push | None] = asyncio.Queue()
        self.outcome, self.open, self.began = Outcome(), 0, 0.0

    async def storm(self, rx_ids: list[str], rate: float, lines: int = 128) -> Outcome:
        """Push `rx_ids` at `rate` a second over at most `lines` connections at once, and what was refused again."""
        loop, self.open = asyncio.get_running_loop(), len(rx_ids)
        self.began = loop.time()
        senders = [asyncio.create_task(self._sender()) for _ in range(lines)]
        for number, rx_id in enumerate(rx_ids):
            due = self.began + number / rate
            if (early := due - loop.time()) > 0.001:
                await asyncio.sleep(early)
            self.waiting.put_nowait(Push(due, rx_id))
        while self.open:
            await asyncio.sleep(0.05)
        for _ in senders:
            self.waiting.put_nowait(None)
        await asyncio.gather(*senders)
        self.outcome.seconds = loop.time() - self.began
        return self.outcome

    async def _sender(self) -> None:
        while (push := await self.waiting.get()) is not None:
            try:
                status, retry_after = await asyncio.wait_for(self._send(push), ANSWER_SECONDS)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.outcome.statuses[type(error).__name__] += 1
                self._again_or_never(push, 1)
                continue
            self._note(push, status, retry_after)

    def _note(self, push: Push, status: int, retry_after: int | None) -> None:
        waited = asyncio.get_running_loop().time() - push.due
        self.outcome.statuses[str(status)] += 1
        if status == 202:
            self.outcome.accepted.append(push.rx_id)
            self.outcome.later += push.tried > 0
            self.open -= 1
            if not push.tried:
                self.outcome.accepted_waits.append(waited)
            return
        self.outcome.without_retry_after += retry_after is None
        if not push.tried:
            self.outcome.refused_waits.append(waited)
        self._again_or_never(push, retry_after)

    def _again_or_never(self, push: Push, seconds: int | None) -> None:
        if seconds is None or push.tried + 1 >= self.tries:
            self.outcome.given_up += 1
            self.open -= 1
            return
        again = Push(push.due, push.rx_id, push.tried + 1)
        asyncio.get_running_loop().call_later(seconds, self.waiting.put_nowait, again)

    async def _send(self, push: Push) -> tuple[int, int | None]:
        """(status, Retry-After) of one push over a connection of its own, as unknown callers make them."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            body = json.dumps({"rxId": push.rx_id}).encode()
            head = f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            if not push.tried:
                self.outcome.sent_at.append(asyncio.get_running_loop().time() - self.began)
            answer = await reader.read()
            wait = RETRY_AFTER.search(answer)
            return int(answer[9:12]), int(wait[1]) if wait else None
        finally:
            writer.close()


def main(arguments: list[str]) -> None:
    """HOST PORT PATH DISTINCT TIMES RATE TRIES; the outcome as JSON."""
    host, port, path, distinct, times, rate, tries = arguments
    vendor = Vendor(host, int(port), path, tries=int(tries))
    json.dump(vars(asyncio.run(vendor.storm(plan(int(distinct), int(times)), float(rate)))), sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1:])
