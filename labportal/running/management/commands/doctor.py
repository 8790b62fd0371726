"""Say on one page how this installation stands."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labportal.keeping.doctor import examine
from labportal.keeping.doctor_line import BAD, LOOK


class Command(BaseCommand):
    help = "One page: settings, database, walls, disk, queue, worker, connections. Exits 1 when a line is bad."
    requires_system_checks: list[str] = []  # it runs them itself, and says what to do

    def handle(self, *args: Any, **options: Any) -> None:
        lines = examine()
        for line in lines:
            self.stdout.write(str(line))
        tones = [line.tone for line in lines]
        if BAD in tones:
            raise CommandError(f"{tones.count(BAD)} bad, {tones.count(LOOK)} to look at.", returncode=1)
        self.stdout.write(f"Nothing is bad; {tones.count(LOOK)} to look at.")
