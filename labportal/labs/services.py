"""Making labs and members; the operator's admin site, the commands and the demo all come here."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify

from labportal.audit.services import record
from labportal.labs.models import Lab, Membership, Role, User
from labportal.labs.tenancy import in_lab

SEEN_NOTED_EVERY = timedelta(minutes=5)


class LabExists(Exception):
    """A lab with that short name is there already."""


def create_lab(*, name: str, time_zone: str = "UTC", tooth_notation: str = Lab.Notation.FDI, ending: str = "") -> Lab:
    """A new lab, part of the running transaction; `ending` makes its short name another one. Errors: LabExists."""
    slug = (slugify(name)[:50].strip("-") or "lab") + ending
    lab = Lab(name=name, slug=slug, time_zone=time_zone, tooth_notation=tooth_notation)
    try:
        with in_lab(lab.pk):  # the app's role may make the lab that it acts for
            lab.save(force_insert=True)
    except IntegrityError as error:
        raise LabExists(slug) from error
    for chain in (lab.pk, None):
        record("lab.made", lab_id=chain, target=lab)
    return lab


def add_member(*, lab: Lab, user: User, role: str, pairings: Collection[UUID] | None = None) -> Membership:
    """Put a person into a lab, or change the role they have there, for all its pairings (None) or only some."""
    given = None if pairings is None else list(pairings)
    with in_lab(lab.pk):
        before = Membership.objects.of(lab).filter(user=user).values_list("role", "pairings").first()
        membership, made = Membership.objects.of(lab).update_or_create(
            lab=lab, user=user, defaults={"role": role, "pairings": given}
        )
        if before != (role, given):
            act, only = "member.added" if made else "member.changed", None if given is None else len(given)
            record(act, lab_id=lab.pk, target=membership, person=user.pk, role=role, pairings=only)
    return membership


def owner_addresses(lab_id: UUID) -> list[str]:
    """Where the lab's owners are told something by mail."""
    with in_lab(lab_id):
        owners = Membership.objects.of(lab_id).filter(role=Role.OWNER, suspended_at=None, user__is_active=True)
        return list(owners.order_by("user__email").values_list("user__email", flat=True))


def create_person(*, email: str, password: str | None, name: str = "", operator: bool = False) -> User:
    """A person who can log in; without a password they set one by the password-reset mail. Who is there already stays
    as they are."""
    user = User.objects.filter(email=email.strip().lower()).first()
    if user is None:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name)
            record("person.made", lab_id=None, target=user)
            if operator:
                make_operator(user=user)
    return user


def make_operator(*, user: User) -> None:
    """The portal's operator from now on."""
    if user.is_staff:
        return
    user.is_staff = user.is_superuser = True
    with transaction.atomic():
        user.save(update_fields=["is_staff", "is_superuser"])
        record("operator.made", lab_id=None, target=user)


def note_seen(membership: Membership) -> None:
    """The member used the portal just now, to five minutes: a day's work writes a few dozen times."""
    now, before = timezone.now(), membership.last_seen_at
    if before is None or now - before >= SEEN_NOTED_EVERY:
        with in_lab(membership.lab_id):
            Membership.objects.of(membership.lab_id).filter(pk=membership.pk).update(last_seen_at=now)
