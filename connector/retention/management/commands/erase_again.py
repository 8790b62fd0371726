"""After a restore: remove again what was removed since that backup was made."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connector.retention.replay import erase_again


class Command(BaseCommand):
    help = "Remove again the cases that ERASURES_FILE names: a restored backup may be older than their removal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", default=str(settings.ERASURES_FILE), help="default: ERASURES_FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done, kept = erase_again(Path(options["file"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(
                f"{options['file']} can't be read as a list of removals: {type(error).__name__}."
            ) from error
        self.stdout.write(f"{done} cases removed again; the worker takes their files away within a minute.")
        if kept:
            raise CommandError(
                f"{kept} cases are under a legal hold or being returned: run this again later.", returncode=1
            )
