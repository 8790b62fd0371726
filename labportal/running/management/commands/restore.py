"""Bring a backup back into an empty database, and into safe mode."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labportal.embedded_postgres import EmbeddedPostgresError
from labportal.env import BASE_DIR, DATA_DIR
from labportal.keeping.programs import KeepingFailed
from labportal.keeping.restore import restore
from labportal.running.instance import prepare

SAFE_MODE = (
    "The database is restored and in SAFE MODE: nothing is asked of Align, nothing is sent there, and no case is "
    "removed by its lab's rule. Start the portal, look at it, then end it with: manage.py leave_safe_mode"
)


class Command(BaseCommand):
    help = (
        "Bring the backup in FOLDER into an EMPTY database, put its scans back, verify them, and switch safe mode on."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--start-database",
            action="store_true",
            help="one machine, portal stopped: start the PostgreSQL of DATA_DIR for as long as this takes",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"].resolve()
        if options["start_database"]:
            return self._with_own_database(folder)
        try:
            manifest = restore(folder)
        except KeepingFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored from the backup of {manifest.made_at}.")
        if manifest.elsewhere:
            self.stdout.write("The backup holds no zips: the bucket must hold those that manifest.json lists.")
        self.stdout.write(SAFE_MODE)
        call_command("verify", stdout=self.stdout, stderr=self.stderr)

    def _with_own_database(self, folder: Path) -> None:
        """In a process of its own: this one's settings were read before the database had an address."""
        try:
            prepared = prepare(Path(DATA_DIR))
        except EmbeddedPostgresError as error:
            raise CommandError(str(error)) from error
        try:
            command = [sys.executable, str(BASE_DIR / "manage.py"), "restore", str(folder)]
            done = subprocess.run(command, env={**os.environ, **prepared.environment}, check=False)  # noqa: S603 - ours
        finally:
            if prepared.server is not None:
                prepared.server.stop()
        if done.returncode:
            raise CommandError("The restore did not end well; the words above say why.")
