"""A one-machine instance: the embedded PostgreSQL of DATA_DIR, its roles, and its processes' environment.

Every process of the instance reads DATA_DIR/instance.json (labportal/env.py), so a command in another terminal
(`manage.py createlab`) reaches the same database while `make run` or `make demo` is running.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from labportal.embedded_postgres import Server, start
from labportal.env import BASE_DIR, Instance
from labportal.roles import ensure_roles, load_or_make_secrets
from labportal.secret_files import write_private


@dataclass(frozen=True)
class Prepared:
    """`environment` is what child processes get on top of ours; `server` is stopped at the end."""

    server: Server | None
    environment: dict[str, str]


def prepare(data_dir: Path, *, fast: bool = False, database: str = "labportal") -> Prepared:
    """Start the database of `data_dir` (or take the one that DATABASE_URL names) and bring its tables up to date.

    Errors: EmbeddedPostgresError in words. `fast` is for tests: nothing is flushed to disk.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        return Prepared(None, {"DATA_DIR": str(data_dir)})
    secrets = load_or_make_secrets(data_dir)
    server = start(data_dir, fast=fast)
    urls = ensure_roles(server.superuser_url, database=database, passwords=secrets.role_passwords)
    instance = Instance(
        DATABASE_URL=urls.app,
        DATABASE_OWNER_URL=urls.owner,
        DATABASE_OPERATOR_URL=urls.operator,
        DATABASE_BACKUP_URL=urls.backup,
        SECRET_KEY=secrets.secret_key,
        TOKEN_KEYS=secrets.token_keys,
        NOTIFICATION_SECRET=secrets.notification_secret,
        AUDIT_KEYS=secrets.audit_keys,
    )
    write_private(data_dir / "instance.json", json.dumps(instance))
    return Prepared(server, {"DATA_DIR": str(data_dir)})


def migrate(environment: dict[str, str]) -> None:
    """Bring the tables up to date, as the owner role. Errors: subprocess.CalledProcessError."""
    for command in (
        ["migrate", "--database", "owner", "--verbosity", "0"],
        ["createcachetable", "--database", "owner", "--verbosity", "0"],
    ):
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, str(BASE_DIR / "manage.py"), *command], check=True, env={**os.environ, **environment}
        )
