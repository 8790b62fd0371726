"""A throw-away portal for a measurement: a real PostgreSQL that flushes to disk, real tables, the real web process."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instance:
    """`folder` is its DATA_DIR, `environment` what child processes of it need."""

    folder: Path
    environment: dict[str, str]


@contextmanager
def instance() -> Iterator[Instance]:
    """Start, and stop and delete afterwards. Django is set up inside: import models only there. Once a process."""
    from labportal.running.instance import migrate, prepare

    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's own user must reach its folder in it
        os.environ |= {"DATA_DIR": name, "LOG_LEVEL": "ERROR"}
        prepared = prepare(folder)
        os.environ |= prepared.environment
        try:
            migrate(prepared.environment)
            _set_up(folder)
            yield Instance(folder, prepared.environment)
        finally:
            _close()
            if prepared.server is not None:
                prepared.server.stop()


def _set_up(folder: Path) -> None:
    """The settings read the environment when they are imported."""
    import labportal.env

    labportal.env.DATA_DIR, labportal.env.INSTANCE_FILE = folder, folder / "instance.json"
    os.environ["DJANGO_SETTINGS_MODULE"] = "labportal.settings"
    import django

    django.setup()


def _close() -> None:
    from django.db import connections

    connections.close_all()
