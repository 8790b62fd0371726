"""A lab that signs up by itself, where the installation allows it: asked for by e-mail, opened by the link in the mail.

Whether the address is known already, the answer is the same; nothing is made before the address is proven.
"""

import secrets

from django.db import transaction
from django.utils import timezone

from labportal.audit.services import record
from labportal.labs.models import Lab, Role, User
from labportal.labs.services import LabExists, add_member, create_lab
from labportal.people.addresses import make_proven_person, prove_address, proven_addresses
from labportal.people.invitations import AnotherPerson
from labportal.people.mails import mail_sign_up
from labportal.people.models import SIGN_UP_LIFE, SignUp
from labportal.people.tokens import new_token, token_hash


class SignUpClosed(Exception):
    """It was used, or is too old."""


def ask_for_lab(*, email: str, lab_name: str, time_zone: str) -> bool:
    """Mail the link that opens the lab; False when the mail could not leave. Outside of a transaction."""
    now, token = timezone.now(), new_token()
    with transaction.atomic():
        SignUp.objects.filter(expires_at__lte=now).delete()
        made = SignUp.objects.create(
            email=email.strip().lower(), lab_name=lab_name.strip(), time_zone=time_zone,
            token_hash=token_hash(token), expires_at=now + SIGN_UP_LIFE,
        )  # fmt: skip
    return mail_sign_up(made, token)


def open_sign_up(hashed: str) -> SignUp | None:
    """The sign-up whose token has this hash, while it can be used."""
    found = SignUp.objects.filter(token_hash=hashed).first()
    return found if found is not None and found.is_open else None


def open_lab(*, sign_up: SignUp, user: User) -> Lab:
    """The lab, with this person as its owner, together or not at all. Errors: AnotherPerson, SignUpClosed."""
    if sign_up.email not in proven_addresses(user):
        raise AnotherPerson
    with transaction.atomic():
        deleted, _ = SignUp.objects.filter(pk=sign_up.pk, expires_at__gt=timezone.now()).delete()
        if not deleted:
            raise SignUpClosed
        prove_address(user, sign_up.email)
        lab = _lab(sign_up)
        add_member(lab=lab, user=user, role=Role.OWNER)
        record("lab.opened", lab_id=lab.pk, target=lab, person=user.pk)
    return lab


def open_lab_as_new_person(*, sign_up: SignUp, name: str, password: str) -> tuple[User, Lab]:
    """Make the log-in, the lab and the membership together. Errors: PersonExists, SignUpClosed."""
    with transaction.atomic():
        user = make_proven_person(email=sign_up.email, name=name, password=password)
        return user, open_lab(sign_up=sign_up, user=user)


def _lab(sign_up: SignUp) -> Lab:
    """Two labs may have one name; the short name of the second ends with chance."""
    try:
        return create_lab(name=sign_up.lab_name, time_zone=sign_up.time_zone)
    except LabExists:
        return create_lab(name=sign_up.lab_name, time_zone=sign_up.time_zone, ending=f"-{secrets.token_hex(4)}")
