"""Part of `demo`: makes the demo's people and keys, or prints its connections, as JSON."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from labportal.running import demo_people


class Command(BaseCommand):
    help = "Used by `demo`. Refused on a real installation."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["people", "connections"])

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SIMULATOR:
            raise CommandError("This makes log-ins with a known password; it runs only beside the simulator.")
        if options["what"] == "people":
            facts: Any = {"users": demo_people.make_people(), "api_keys": demo_people.make_keys()}
        else:
            facts = demo_people.connections()
        self.stdout.write(json.dumps(facts))
