"""A real HTTP server that answers exactly the bytes it was told to, and remembers what it was asked."""

import json
import queue
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Asked:
    """One request as it arrived."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    """Bytes to send, then an ordinary close; or a reset, or a wait before the bytes."""

    sent: bytes
    reset: bool = False
    wait: float = 0.0


def reply(status: int, body: bytes | object = b"", **headers: str) -> Reply:
    """A well-formed answer; a body that is no bytes goes out as JSON; header names with _ for -."""
    if not isinstance(body, bytes):
        headers = {"Content_Type": "application/json", **headers}
        body = json.dumps(body).encode()
    headers = {"Content_Length": str(len(body)), **headers}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return Reply("\r\n".join([*lines, "", ""]).encode() + body)


@dataclass
class Script:
    """What to answer next, and what was asked so far."""

    url: str
    replies: "queue.Queue[Reply]" = field(default_factory=queue.Queue)
    asked: list[Asked] = field(default_factory=list)
    otherwise: Callable[[Asked], Reply] | None = None

    def will(self, *replies: Reply) -> None:
        for one in replies:
            self.replies.put(one)

    def next(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        try:
            return self.replies.get_nowait()
        except queue.Empty:
            return self.otherwise(asked) if self.otherwise else reply(599)


class ScriptedServer(socketserver.ThreadingTCPServer):
    """Serves a script on a free port of 127.0.0.1."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.script = Script(f"http://127.0.0.1:{self.server_address[1]}")
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Exchange(socketserver.StreamRequestHandler):
    server: ScriptedServer

    def handle(self) -> None:
        line = self.rfile.readline().decode().strip()
        headers = {}
        while header := self.rfile.readline().decode().strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        body = self.rfile.read(int(headers.get("content-length", "0")))
        answer = self.server.script.next(Asked(line, headers, body))
        time.sleep(answer.wait)
        try:
            self.wfile.write(answer.sent)
            self.wfile.flush()
        except OSError:
            return  # the client gave up, which is what some tests are about
        if answer.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
