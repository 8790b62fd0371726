"""A patient called ZZCANARY, secrets that are remembered, and all places where neither may ever be seen."""

import base64
import io
import logging
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string
from psycopg import sql

from tests import database
from tests.faults.traces import CANARY
from tests.mails import Mails

PATIENT = CANARY
# Where a patient's data lies on purpose; each other table, the queue's and the audit's too, must be free of it.
OF_PATIENTS = {
    "orders_order", "orders_revision", "orders_scanfile", "orders_restoration", "orders_timelineevent",
    "returns_return", "retention_casehold", "retention_labhold",
}  # fmt: skip
ADDRESSES = re.compile(r"(?:href|src|action|formaction|hx-\w+|data-[\w-]*url)=\"([^\"]*)\"")


class Canary:
    """What must not be seen: the patient anywhere outside of the lab's pages, a secret anywhere at all."""

    def __init__(self) -> None:
        self.secrets: set[str] = set()

    def add(self, *secrets: str) -> None:
        assert all(len(secret) >= 11 for secret in secrets), "too short to be told from other words"
        self.secrets |= set(secrets)

    def found_in(self, text: str) -> list[str]:
        """In clear, percent-encoded or escaped."""
        seen = f"{text}\n{unquote(text)}\n{unescape(text)}"
        return sorted(word for word in {PATIENT, *self.secrets} if word in seen)

    def lines_with(self, text: str) -> list[str]:
        """For people: the lines in which it stands."""
        return sorted({line for line in text.splitlines() if self.found_in(line)})


@contextmanager
def all_logs() -> Iterator[io.StringIO]:
    """Every line that the portal writes, from DEBUG up, formatted as on standard error."""
    line = settings.LOGGING["formatters"]["line"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(import_string(line["()"])(line["format"]))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def addresses_in(answer: Any) -> str:
    """Every address that an answer names, and the name of a file that it hands out."""
    headers = [
        answer.headers.get(name, "") for name in ("Location", "Content-Disposition", "HX-Redirect", "HX-Push-Url")
    ]
    body = "" if answer.streaming else answer.content.decode(errors="replace")
    return "\n".join([*headers, *ADDRESSES.findall(body)])


def every_row() -> dict[str, list[str]]:
    """table → its rows as text, past row-level security: the owner of the tables is bound by it too."""
    server = database._prepared.server
    if server is None:
        pytest.skip("needs the embedded database: a server of one's own gives no superuser to tests")
    parts = urlsplit(server.superuser_url)
    name = str(connections["default"].settings_dict["NAME"])
    held = {}
    with psycopg.connect(urlunsplit(parts._replace(path=f"/{name}"))) as superuser:
        for table in connections["owner"].introspection.table_names():
            asked = sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
            held[table] = [row for (row,) in superuser.execute(asked).fetchall()]
    return held


def tables(canary: Canary) -> dict[str, list[str]]:
    """table → what it holds of the canary; sessions, queue and cache unpacked."""
    held = {table: canary.found_in("\n".join(unpacked(row) for row in rows)) for table, rows in every_row().items()}
    return {table: found for table, found in held.items() if found}


def leaks(held: dict[str, list[str]]) -> dict[str, list[str]]:
    """What of it is in the wrong place: a secret anywhere, the patient outside of the tables made for that."""
    wrong = {t: [word for word in found if word != PATIENT or t not in OF_PATIENTS] for t, found in held.items()}
    return {table: found for table, found in wrong.items() if found}


def unpacked(row: str) -> str:
    """With what is packed in it: queue, sessions and cache hold base64, and some of it is compressed."""
    texts = [row]
    for packed in re.findall(r"[A-Za-z0-9+/_-]{24,}={0,2}", row):
        with_padding = packed.rstrip("=") + "=" * (-len(packed.rstrip("=")) % 4)
        try:
            raw = base64.urlsafe_b64decode(with_padding.replace("+", "-").replace("/", "_"))
        except ValueError:
            continue
        texts.append(raw.decode(errors="replace"))
        try:
            texts.append(zlib.decompress(raw).decode(errors="replace"))
        except zlib.error:
            continue
    return "\n".join(texts)


def mails_text(mails: Mails) -> str:
    return "\n".join(str(mail) + "".join(str(part) for part in mail.walk()) for mail in mails.all())
