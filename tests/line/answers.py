"""What the proxy must know of HTTP: where an answer's head ends and how long its body says it is."""

import json
import re
from dataclasses import dataclass
from typing import Any


@dataclass
class Answer:
    """An answer on its way: its head as it came; its body only once a toxic has gathered it."""

    request_line: str
    head: bytes
    body: bytes = b""

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1]) if self.head.startswith(b"HTTP/") else 0

    @property
    def length(self) -> int | None:
        """The declared length of the body."""
        found = re.search(rb"(?im)^content-length:[ \t]*(\d+)", self.head)
        return int(found[1]) if found else None

    def position(self, fraction: float) -> int:
        """The byte of the stream that lies at this fraction of the body."""
        return len(self.head) + int((self.length or 0) * fraction)

    def head_declaring(self, length: int) -> bytes:
        """The head with another length."""
        return re.sub(rb"(?im)^(content-length:[ \t]*)\d+", rb"\g<1>%d" % length, self.head)

    def json(self) -> Any:
        return json.loads(self.body)

    def with_body(self, body: bytes, *headers: str) -> bytes:
        """The whole answer with another body of a right length, and more headers."""
        extra = "".join(f"{header}\r\n" for header in headers).encode()
        return self.head_declaring(len(body))[:-2] + extra + b"\r\n" + body

    def with_json(self, value: Any) -> bytes:
        return self.with_body(json.dumps(value).encode())


def scripted(status: int, body: bytes = b"", *headers: str) -> bytes:
    """An answer that no server gave."""
    lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
