"""Django's own command; the person's labs can read in their audit that it was used."""

from typing import Any

from django.contrib.auth.management.commands import changepassword

from labportal.labs.models import User
from labportal.labs.sign_in_trail import record_for_person


class Command(changepassword.Command):
    def handle(self, *args: Any, **options: Any) -> str | None:
        options["username"] = (options["username"] or "").strip().lower()  # as addresses are kept
        said = super().handle(*args, **options)
        record_for_person("password.set_on_machine", User.objects.get(email=options["username"]))
        return said
