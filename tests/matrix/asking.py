"""Asking for one cell, and the answer as the visitor sees it."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.test import Client, RequestFactory

from labportal.message_cookie import NamedCookie
from tests.isolation.test_every_url import Answer, seen_by
from tests.matrix.cells import SAFE, Cell

RANDOM_COOKIES = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)


def ask(client: Client, cell: Cell) -> Answer:
    call: Callable[..., Any] = getattr(client, cell.method.lower())
    response = call(cell.path, headers=cell.headers, **_body(cell))
    body = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    headers = dict(response.headers) | {"Cookies": _cookies(response)}
    client.cookies.pop(settings.MESSAGES_COOKIE_NAME, None)  # each answer has its own messages alone
    return Answer(response.status_code, headers, body)


def _body(cell: Cell) -> dict[str, Any]:
    if cell.method in SAFE:
        return {}
    return {"data": cell.form} if cell.method == "POST" else {"data": b"{}", "content_type": "application/json"}


def _cookies(response: Any) -> str:
    """The cookies with their lives, and of the messages the words."""
    seen = []
    for name, morsel in sorted(response.cookies.items()):
        value: object = morsel.value
        if name in RANDOM_COOKIES and value:
            continue  # of chance, and written anew once a minute
        if name == settings.MESSAGES_COOKIE_NAME:
            storage = NamedCookie(RequestFactory().get("/"))
            value = [(each.level, str(each)) for each in storage._decode(morsel.value) or ()]  # type: ignore[attr-defined]  # not in the stubs
        seen.append((name, value, morsel["max-age"], morsel["path"], morsel["samesite"]))
    return repr(seen)


def told(cell: Cell, answer: Answer) -> Answer:
    """The answer without what is random, and without the words that were asked with."""
    seen = _without_time(seen_by(answer))
    if not cell.word:
        return seen
    headers, body = dict(seen.headers), seen.body
    for word in (
        quote(quote(cell.word)),
        quote(cell.word),
        cell.word,
    ):  # as it stands in an address, and in a link to it
        headers = {name: value.replace(word, "ASKED") for name, value in headers.items()}
        body = body.replace(word.encode(), b"ASKED")
    return Answer(seen.status, headers, body)


def _without_time(answer: Answer) -> Answer:
    """Two looks are not of the same second: how old a case is, and until when an answer may be kept. A search has an
    id of chance, and the audit says which RxID its reader has asked for."""
    headers = {name: value for name, value in answer.headers.items() if name != "Expires"}
    if "Location" in headers:
        headers["Location"] = re.sub(r"\bs=[\w-]+", "s=ID", headers["Location"])
    body = re.sub(rb"\b\d+ (s|min)\b", b"AGO", answer.body)
    return Answer(answer.status, headers, re.sub(rb'("+)rx\1: \1[^"]*\1', b"RX", body))


def session_of(client: Client) -> str:
    cookie = client.cookies.get(settings.SESSION_COOKIE_NAME)
    return cookie.value if cookie is not None else ""
