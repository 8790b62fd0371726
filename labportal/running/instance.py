"""A one-machine instance: the embedded PostgreSQL of DATA_DIR, its roles, and its processes' environment.

Every process of the instance reads DATA_DIR/instance.json (labportal/env.py), so a command in another terminal
(`manage.py createlab`) reaches the same database while `make run` or `make demo` is running.
"""

import json
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from labportal.embedded_postgres import EmbeddedPostgresError, Server, start
from labportal.env import BASE_DIR, Instance
from labportal.roles import ensure_roles, load_or_make_secrets
from labportal.secret_files import write_private
from labportal.startup import wait_for_database

log = logging.getLogger(__name__)


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


def await_database(prepared: Prepared) -> None:
    """A database of elsewhere may come up later than we do."""
    if prepared.server is None:
        wait_for_database("owner")


def keep_database(prepared: Prepared) -> None:
    """Call it every half second: the database that came along is started again when it ended by itself."""
    if prepared.server is None:
        return
    try:
        if prepared.server.keep_running():
            log.error("the database had ended; it was started again")
    except EmbeddedPostgresError as error:
        log.error("the database ended and does not start: %s", error)
        time.sleep(5)


def migrate(environment: dict[str, str]) -> None:
    """Bring the tables up to date, as the owner role. Errors: subprocess.CalledProcessError."""
    for command in (
        ["migrate", "--database", "owner", "--verbosity", "0"],
        ["createcachetable", "--database", "owner", "--verbosity", "0"],
    ):
        subprocess.run(  # noqa: S603 - our own command
            [sys.executable, str(BASE_DIR / "manage.py"), *command], check=True, env={**os.environ, **environment}
        )
