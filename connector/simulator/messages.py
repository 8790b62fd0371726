"""A request as the handlers read it, a response as they give it, and a refusal in the vendor's words."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, BinaryIO
from urllib.parse import parse_qsl


class Refusal(Exception):
    """The call is answered with an error; `oauth` picks the error body of the authorization server."""

    def __init__(
        self, status: int, code: str, text: str, *, oauth: bool = False, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text
        self.oauth = oauth
        self.headers = headers or {}


@dataclass
class Request:
    """One HTTP request; `base` is the address that the client used to reach us, without a slash at the end."""

    method: str
    path: str
    query: dict[str, str]
    headers: Message
    body: bytes
    base: str
    request_id: str
    target: str = ""
    region: str | None = None
    params: dict[str, str] = field(default_factory=dict)

    @property
    def is_form(self) -> bool:
        return self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")

    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            raise Refusal(400, "bad_request", "The body is not valid JSON.") from None
        if not isinstance(value, dict):
            raise Refusal(400, "bad_request", "The body must be a JSON object.")
        return value

    def fields(self) -> dict[str, Any]:
        """Form or JSON fields alike, for the control page's own calls."""
        return dict(self.form()) if self.is_form else self.json()


def _nothing() -> None:
    return None


@dataclass
class FileBody:
    """A part of an open file to be streamed; `first` runs before its first byte leaves, `last` with its last."""

    file: BinaryIO
    start: int
    length: int
    first: Callable[[], None] = _nothing
    last: Callable[[], None] = _nothing


@dataclass
class Response:
    """An answer; the length is added when it is sent."""

    status: int = 200
    body: bytes | FileBody = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.body.length if isinstance(self.body, FileBody) else len(self.body)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON, never cached."""
    extra = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status, json.dumps(value, ensure_ascii=False).encode(), extra | (headers or {}))


def html_response(text: str, status: int = 200) -> Response:
    """A self-contained page."""
    # No form-action here: browsers apply it to the redirect back to the portal as well.
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'"
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status, text.encode(), headers | {"Content-Security-Policy": policy})


def redirect(location: str, status: int = 302) -> Response:
    """Sends the browser elsewhere."""
    return Response(status, b"", {"Location": location, "Cache-Control": "no-store"})
