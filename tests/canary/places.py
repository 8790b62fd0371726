"""Where a person who must not see a case could still read of it: every place outside of the lab's own tables."""

import base64
import io
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django_q.models import OrmQ, Task

from labportal.audit.anchors import anchor, folder
from labportal.audit.models import Entry
from tests.faults.traces import Traces, kept_in
from tests.mails import Mails

# Read as the database's owner, as text; its walls hide the audit even from the owner.
TABLES = ("django_q_ormq", "django_q_task", "django_q_schedule", "django_admin_log", "labportal_cache")
ADDRESS = re.compile(r'\b(?:href|src|action|hx-get|hx-post)="([^"]*)"')
Needles = Mapping[str, str]


def found(places: Mapping[str, str], needles: Needles) -> list[tuple[str, str]]:
    """(place, what was found there); nothing of the text itself, as it would stand in a test's report."""
    return sorted(
        (place, name)
        for place, text in places.items()
        for name, needle in needles.items()
        if needle in text or needle.encode().hex() in text or base64.b64encode(needle.encode()).decode() in text
    )


@contextmanager
def all_logged(folder: Path) -> Iterator[tuple[Traces, Path]]:
    """Everything from DEBUG on as production writes it; and the same lines with their exceptions' texts, as the
    control: what is not in there was not tried."""
    with kept_in(folder) as traces:
        plain = logging.FileHandler(folder / "plain.log")
        plain.setFormatter(logging.Formatter("%(name)s %(message)s"))
        root, queue = logging.getLogger(), logging.getLogger("django-q")  # the queue's logger does not propagate
        ours, level = root.handlers[-1], queue.level
        root.handlers.insert(0, plain)  # before ours, which must not take over what it made of an exception
        queue.setLevel(logging.DEBUG)
        for handler in (plain, ours):
            queue.addHandler(handler)
        try:
            yield traces, folder / "plain.log"
        finally:
            root.removeHandler(plain)
            queue.setLevel(level)
            for handler in (ours, plain):
                queue.removeHandler(handler)
            plain.close()


def queue_decoded() -> dict[str, str]:
    """The queue's rows as a worker reads them: signature and pickle undone."""
    waiting = "\n".join(repr(row.task) for row in OrmQ.objects.all())
    done = "\n".join(repr(vars(row)) for row in Task.objects.all())
    return {"queue, decoded": waiting, "finished tasks, decoded": done}


def tables() -> dict[str, str]:
    with connections["owner"].cursor() as cursor:
        held = {}
        for table in TABLES:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            held[f"table {table}"] = "\n".join(row for (row,) in cursor.fetchall())
        cursor.execute("SELECT value FROM labportal_cache")
        held["cache, decoded"] = "\n".join(repr(base64.b64decode(value)) for (value,) in cursor.fetchall())
    held["audit entries"] = "\n".join(repr(vars(entry)) for entry in Entry.objects.using("operator").all())
    return held


def mails_in(mails: Mails) -> str:
    """As they were sent, and their bodies decoded."""
    return "\n".join(file.read_text() for file in mails.folder.glob("*")) + mails.text() if mails.all() else ""


def addresses_in(answer: Any, content: str) -> str:
    """What a browser's history, a Referer or a proxy's log could keep of an answer."""
    return "\n".join([answer.headers.get("Location", ""), *ADDRESS.findall(content)])


def machine() -> dict[str, str]:
    """What the installation says of itself to whoever runs it."""
    anchor()
    said = {f"anchor {file.name}": file.read_text() for file in folder().glob("*")}
    for name, options in (("doctor", []), ("doctor --json", ["--json"])):
        said[name] = _said("doctor", *options)
    said["verify_audit"] = _said("verify_audit")
    headers = {"Authorization": f"Bearer {settings.STATUS_TOKEN}"}
    status = Client().get("/status", headers=headers)
    assert "lines" in json.loads(status.content)
    return said | {"/status": status.content.decode(), "/healthz": Client().get("/healthz").content.decode()}


def _said(*command: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(*command, stdout=out, stderr=err)
    except (CommandError, SystemExit) as ended:
        return f"{out.getvalue()}{err.getvalue()}{ended}"
    return out.getvalue() + err.getvalue()


def since(file: Path) -> Callable[[], str]:
    """What is written to a file from now on."""
    start = file.stat().st_size if file.exists() else 0
    return lambda: file.read_bytes()[start:].decode(errors="replace") if file.exists() else ""
