"""A consistent copy of database and scans."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labportal.keeping.backup import back_up
from labportal.keeping.programs import KeepingFailed

SECRETS = (
    "NOT in it, on purpose: TOKEN_KEYS, SECRET_KEY and NOTIFICATION_SECRET (on one machine DATA_DIR/secrets.json and "
    "DATA_DIR/postgres.password). Keep them elsewhere: without TOKEN_KEYS every lab signs in at Align again."
)


class Command(BaseCommand):
    help = (
        "Copy database and scans into a new FOLDER, while the portal runs. Needs DATABASE_BACKUP_URL (known on one "
        "machine). A folder without manifest.json is an unfinished backup."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--link",
            action="store_true",
            help="hard links instead of copies: quick and small, but no help against a failing disk",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"].resolve()
        try:
            manifest = back_up(folder, link=options["link"])
        except KeepingFailed as error:
            raise CommandError(str(error)) from error
        size = sum(kept.size for kept in manifest.files.values())
        self.stdout.write(f"Backup complete: {len(manifest.files)} files, {size / 1e6:.1f} MB in {folder}")
        if manifest.elsewhere:
            self.stdout.write(
                f"The scan store is no file system: {len(manifest.elsewhere)} zips are listed in manifest.json but not "
                "copied. Keep versions of the bucket, or copy it yourself."
            )
        self.stdout.write(SECRETS)
