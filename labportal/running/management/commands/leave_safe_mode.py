"""End the safe mode of a restored portal."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from labportal.keeping import safe_mode


class Command(BaseCommand):
    help = "End the safe mode of a restored portal. Every lab then signs in at Align again, unless --keep-tokens."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--keep-tokens",
            action="store_true",
            help="use the restored sign-ins again; only when the portal has not run since the backup was made",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not safe_mode.is_on():
            self.stdout.write("Safe mode is not on. Nothing was changed.")
            return
        waiting = safe_mode.leave(keep_tokens=options["keep_tokens"])
        self.stdout.write(
            f"Safe mode has ended. {waiting} connections wait for a sign-in at Align (Connections → Reconnect). Labs' "
            "rules remove their first case in a day: until then owners put legal holds again that the backup lacks."
        )
