"""Typed reads of the environment that fail loudly; `NAME_FILE` names a file that holds the value (a mounted secret)."""

import json
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import unquote, urlsplit

from environs import FileAwareEnv

env = FileAwareEnv(strip_whitespace=True)  # a file ends with a newline, a secret does not

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / ".data"))).resolve()


class Instance(TypedDict, total=False):
    """What a one-machine instance wrote into DATA_DIR when its embedded PostgreSQL started."""

    DATABASE_URL: str
    DATABASE_OWNER_URL: str
    DATABASE_OPERATOR_URL: str
    DATABASE_BACKUP_URL: str
    SECRET_KEY: str
    TOKEN_KEYS: str
    NOTIFICATION_SECRET: str
    AUDIT_KEYS: str


INSTANCE_FILE = DATA_DIR / "instance.json"


def read_instance() -> Instance:
    """The running one-machine instance's connection facts; empty when there is none."""
    try:
        loaded: Instance = json.loads(INSTANCE_FILE.read_text())
    except FileNotFoundError:
        return {}
    return loaded


def database(url: str) -> dict[str, Any]:
    """A Django DATABASES entry from `postgresql://user:password@host:port/name?host=/socket/dir`.

    Connections live 60 s and are checked before use: without re-use the task queue is ten times slower (measured).
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("DATABASE_URL must begin with postgresql:// (PostgreSQL is the only engine)")
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    host = unquote(query.pop("host", "")) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "") or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": "10"} | {key: unquote(value) for key, value in query.items()},
        "ATOMIC_REQUESTS": False,
    }
