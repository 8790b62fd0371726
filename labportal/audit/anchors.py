"""The chains' heads, once a day, in a file outside the database: whoever cuts a chain's end off and moves its head back
is still found out. Each file is signed with a key that the database does not know.

DATA_DIR/anchors/2026-11-24.json: `{"at", "heads": {chain: [seq, hash]}, "key", "mac"}`. Its digest goes to the log as
well, which a careful operator ships elsewhere.
"""

import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from labportal.secret_files import write_private

log = logging.getLogger(__name__)
# chain → place → hash
Anchored = dict[UUID, dict[int, str]]


class AnchorsBroken(Exception):
    """An anchor file is unreadable, or not signed with one of our keys; `name` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def folder() -> Path:
    return Path(settings.AUDIT_ANCHORS_DIR)


def anchor_daily() -> None:
    """Once a UTC day (registered with the tick)."""
    if not (folder() / f"{datetime.now(UTC):%Y-%m-%d}.json").exists():
        anchor()


def anchor(now: datetime | None = None) -> Path:
    """Write today's heads down; a second call of the day replaces the first. Errors: OSError."""
    now = now or datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT chain, seq, hash FROM audit.heads()")
        heads = {str(chain): [seq, last] for chain, seq, last in cursor.fetchall()}
    path = folder() / f"{now:%Y-%m-%d}.json"
    known = _read(path)["heads"] if path.exists() else {}
    key_id, key = next(_keys())
    body: dict[str, Any] = {"at": now.isoformat(timespec="seconds"), "heads": known | heads, "key": key_id}
    body["mac"] = _mac(key, body)
    write_private(path, json.dumps(body) + "\n")
    log.info("audit_anchored %s chains=%s mac=%s", path.name, len(heads), body["mac"])
    return path


def load() -> Anchored:
    """What every anchor file says. Of one place the earliest word counts: a chain that was changed at its end, and has
    its old length, is anchored as it then stands. Errors: AnchorsBroken."""
    known: Anchored = {}
    for path in sorted(folder().glob("*.json")):
        for chain, (seq, last) in _read(path)["heads"].items():
            known.setdefault(UUID(chain), {}).setdefault(seq, last)
    return known


def set_aside(since: datetime) -> int:
    """A backup of then was restored: later anchors speak of entries that are gone. They stay, under another name."""
    later = []
    for path in folder().glob("*.json"):
        with suppress(AnchorsBroken):  # verify_audit names it
            if datetime.fromisoformat(_read(path)["at"]) > since:
                later.append(path)
    for path in later:
        path.rename(path.with_suffix(".json.before-restore"))
    return len(later)


def _read(path: Path) -> dict[str, Any]:
    keys = dict(_keys())
    try:
        body: dict[str, Any] = json.loads(path.read_text())
        mac = body.pop("mac")
        if not hmac.compare_digest(mac, _mac(keys[body["key"]], body)):
            raise AnchorsBroken(path.name)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AnchorsBroken(path.name) from error
    return body


def _keys() -> Iterator[tuple[str, bytes]]:
    """(id, key) of each signing key; the first one signs. Without AUDIT_KEYS one is derived from SECRET_KEY."""
    for pair in settings.AUDIT_KEYS:
        key_id, _, text = pair.partition(":")
        yield key_id, text.encode()
    if not settings.AUDIT_KEYS:
        derived = hmac.digest(settings.SECRET_KEY.encode(), b"labportal.audit.anchors", "sha256")
        yield hashlib.sha256(derived).hexdigest()[:8], derived


def _mac(key: bytes, body: dict[str, Any]) -> str:
    return hmac.new(key, json.dumps(body, sort_keys=True).encode(), "sha256").hexdigest()
