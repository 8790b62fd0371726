"""Making labs and members; the operator's admin site, the commands and the demo all come here."""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from labportal.audit.services import record
from labportal.labs.models import Lab, Membership, User
from labportal.labs.routers import as_operator


class LabExists(Exception):
    """A lab with that short name is there already."""


def create_lab(*, name: str, time_zone: str = "UTC", tooth_notation: str = Lab.Notation.FDI) -> Lab:
    """A new lab, as the installation's operator. Errors: LabExists."""
    slug = slugify(name)[:60] or "lab"
    with as_operator(), transaction.atomic(using="operator"):
        if Lab.objects.filter(slug=slug).exists():
            raise LabExists(slug)
        lab = Lab.objects.create(name=name, slug=slug, time_zone=time_zone, tooth_notation=tooth_notation)
    for chain in (lab.pk, None):
        record("lab.made", lab_id=chain, target=lab)
    return lab


def add_member(*, lab: Lab, user: User, role: str, pairings: Collection[UUID] | None = None) -> Membership:
    """Put a person into a lab, or change the role they have there, for all its pairings (None) or only some."""
    given = None if pairings is None else list(pairings)
    with as_operator(), transaction.atomic(using="operator"):
        membership, made = Membership.objects.update_or_create(
            lab=lab, user=user, defaults={"role": role, "pairings": given}
        )
    act = "member.added" if made else "member.changed"
    only = None if given is None else len(given)
    record(act, lab_id=lab.pk, target=membership, person=user.pk, role=role, pairings=only)
    return membership


def create_person(*, email: str, password: str | None, name: str = "", operator: bool = False) -> User:
    """A person who can log in; without a password they set one by the password-reset mail."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name, is_staff=operator, is_superuser=operator)
    return user
