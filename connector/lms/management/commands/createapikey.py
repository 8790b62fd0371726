"""Make an API key from the shell, for installations that are set up by scripts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connector.lms.mails import tell_owners
from connector.lms.services import make_key
from labportal.labs.models import Lab
from labportal.labs.routers import as_operator


class Command(BaseCommand):
    help = "Make an API key for a lab's own system. Prints the key, and nothing else, on standard output, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("lab", help="the lab's short name")
        parser.add_argument("name", help="which system will use it, in quotes")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_operator():
            lab = Lab.objects.filter(slug=options["lab"]).first()
        if lab is None:
            raise CommandError(f"There is no lab with the short name {options['lab']}.")
        key, text = make_key(lab=lab, name=options["name"][:80], by=None)
        tell_owners(key, lab)
        self.stdout.write(text)
