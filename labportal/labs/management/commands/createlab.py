"""Make a lab and its first owner on a real installation."""

import getpass
from typing import Any
from zoneinfo import available_timezones

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from labportal.labs.models import Lab, Role, User
from labportal.labs.services import LabExists, add_member, create_lab, create_person, make_operator


class Command(BaseCommand):
    help = (
        "Make a lab and its first owner. The password is asked for, or read from standard input with --password-stdin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the lab's name, in quotes")
        parser.add_argument("owner", help="the owner's e-mail")
        parser.add_argument("--time-zone", default="UTC", help="for example Europe/Oslo")
        parser.add_argument("--notation", default=Lab.Notation.FDI, choices=Lab.Notation.values)
        parser.add_argument("--operator", action="store_true", help="the owner is also this installation's operator")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        name, email = options["name"].strip(), options["owner"].strip().lower()
        if options["time_zone"] not in available_timezones():
            raise CommandError(f"There is no time zone {options['time_zone']}; write it like Europe/Oslo.")
        try:
            Lab(name=name, slug="lab").clean_fields()
            validate_email(email)
            known = User.objects.filter(email=email).first()
            password = None if known else _password(email, options["password_stdin"])
            with transaction.atomic():
                lab = self._make(name, email, password, options)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except LabExists as error:
            raise CommandError(f"There is a lab with the short name {error} already.") from error
        how = "keeps the password there was before" if known else "can log in"
        self.stdout.write(f"{lab.name} is ready; {email} {how}.")

    def _make(self, name: str, email: str, password: str | None, options: dict[str, Any]) -> Lab:
        """Lab, person and membership, together or not at all. Errors: LabExists."""
        lab = create_lab(name=name, time_zone=options["time_zone"], tooth_notation=options["notation"])
        user = create_person(email=email, password=password, operator=options["operator"])
        if options["operator"]:
            make_operator(user=user)
        add_member(lab=lab, user=user, role=Role.OWNER)
        return lab


def _password(email: str, from_input: bool) -> str:
    """Errors: ValidationError for a weak one; CommandError when none came."""
    try:
        password = input() if from_input else getpass.getpass(f"Password for {email}: ")
    except EOFError:
        raise CommandError("No password came on standard input.") from None
    validate_password(password, User(email=email))
    return password
