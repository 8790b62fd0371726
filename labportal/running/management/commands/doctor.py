"""Say on one page how this installation stands."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labportal.keeping.doctor import examine
from labportal.keeping.doctor_line import BAD, LOOK
from labportal.keeping.status import as_json


class Command(BaseCommand):
    help = "One page: settings, database, walls, disk, queue, worker, connections. Exits 1 when a line is bad."
    requires_system_checks: list[str] = []  # it runs them itself, and says what to do

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="For programs: {status, lines}.")

    def handle(self, *args: Any, **options: Any) -> None:
        lines = examine()
        if options["json"]:
            self.stdout.write(json.dumps(as_json(lines)))
            sys.exit(1 if as_json(lines)["status"] == BAD else 0)
        for line in lines:
            self.stdout.write(str(line))
        tones = [line.tone for line in lines]
        if BAD in tones:
            raise CommandError(f"{tones.count(BAD)} bad, {tones.count(LOOK)} to look at.", returncode=1)
        self.stdout.write(f"Nothing is bad; {tones.count(LOOK)} to look at.")
