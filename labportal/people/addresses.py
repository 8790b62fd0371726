"""People and the e-mail addresses that a link in a mail has proven."""

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from labportal.labs.models import User
from labportal.labs.sign_in_trail import record_for_person
from labportal.people.mails import mail_moved


class PersonExists(Exception):
    """There is a log-in for this address."""


def make_proven_person(*, email: str, name: str, password: str) -> User:
    """A new person, whose address is proven. Errors: PersonExists."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name.strip())
    except IntegrityError as error:
        raise PersonExists from error
    prove_address(user, user.email)
    return user


def proven_addresses(user: User) -> set[str]:
    """The address they log in with, and others that they proved."""
    others = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return {user.email.lower(), *(email.lower() for email in others)}


def prove_address(user: User, email: str) -> None:
    """A link sent to this address came back with this person."""
    known = EmailAddress.objects.filter(user=user, email__iexact=email)
    if not known.update(verified=True):
        first = not EmailAddress.objects.filter(user=user, primary=True).exists()
        EmailAddress.objects.create(user=user, email=email.lower(), verified=True, primary=first)


def move_to(user: User, *, before: str) -> None:
    """The operator changed the address that this person logs in with: no other one opens a way to them any more. A mail
    to the one before tells it."""
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    record_for_person("email.changed", user)
    mail_moved(user, before=before)
