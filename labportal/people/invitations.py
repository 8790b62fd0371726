"""Asking a person into a lab by e-mail, and taking up such an invitation: the verbs.

The token stands in the mail alone. Whoever shows it has read the mail, which proves the address.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from connector.pairing.models import Pairing
from labportal.audit.services import record
from labportal.labs.models import Lab, Membership, Role, User
from labportal.labs.routers import as_app
from labportal.labs.tenancy import in_lab
from labportal.people.addresses import make_proven_person, prove_address, proven_addresses
from labportal.people.mails import mail_invitation
from labportal.people.models import INVITATION_LIFE, Invitation
from labportal.people.tokens import new_token, token_hash


class InviteRefused(Exception):
    """The address is not invited; `code` says why: member (is in the lab), open (is invited already)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class InvitationClosed(Exception):
    """It was taken up, withdrawn or is too old."""


class AnotherPerson(Exception):
    """The invitation is for another address than this person's."""


def invite(*, lab: Lab, email: str, role: str, pairings: Collection[UUID] | None, by: User | None) -> Invitation:
    """Ask a person in and mail them the link; `sent_at` is empty when the mail could not leave. Call it outside of a
    transaction: it talks to the mail server. Errors: InviteRefused."""
    email, now, token = email.strip().lower(), timezone.now(), new_token()
    with in_lab(lab.pk):
        if Membership.objects.of(lab).filter(user__email=email).exists():
            raise InviteRefused("member")
        _waiting(lab.pk).filter(email=email, expires_at__lte=now).update(revoked_at=now)
        given = known_pairings(lab.pk, role, pairings)
        try:
            with transaction.atomic():
                made = Invitation.objects.create(
                    lab=lab, email=email, role=role, pairings=given, invited_by=by, token_hash=token_hash(token),
                    expires_at=now + INVITATION_LIFE,
                )  # fmt: skip
        except IntegrityError as error:
            raise InviteRefused("open") from error
        record("invitation.made", lab_id=lab.pk, target=made, role=role, pairings=count_of(given))
    _send(made, lab, token)
    return made


def send_again(*, invitation: Invitation, lab: Lab) -> bool:
    """A new link by mail, for another seven days; the old link opens nothing any more. False when the mail could not
    leave. Outside of a transaction. Errors: InvitationClosed."""
    token, expires_at = new_token(), timezone.now() + INVITATION_LIFE
    with in_lab(lab.pk):
        if not _waiting(lab.pk).filter(pk=invitation.pk).update(token_hash=token_hash(token), expires_at=expires_at):
            raise InvitationClosed
        record("invitation.sent_again", lab_id=lab.pk, target=invitation)
    invitation.expires_at = expires_at
    return _send(invitation, lab, token)


def withdraw(*, invitation: Invitation) -> bool:
    """The link opens nothing from now on; False when it was closed already."""
    with in_lab(invitation.lab_id):
        done = bool(_waiting(invitation.lab_id).filter(pk=invitation.pk).update(revoked_at=timezone.now()))
        if done:
            record("invitation.withdrawn", lab_id=invitation.lab_id, target=invitation)
    return done


def withdraw_all_of(*, lab_id: UUID, by: User) -> int:
    """Who leaves a lab leaves no open door behind; returns how many there were."""
    with in_lab(lab_id):
        return _waiting(lab_id).filter(invited_by=by).update(revoked_at=timezone.now())


def open_invitation(hashed: str) -> Invitation | None:
    """The open invitation whose token has this hash; read before a lab is known, by a policy of its own."""
    with as_app(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.invitation', %s, true)", [hashed])
        found = Invitation.objects.filter(token_hash=hashed).first()
        cursor.execute("SELECT set_config('app.invitation', '', true)")
    return found if found is not None and found.is_open else None


def accept(*, invitation: Invitation, user: User) -> Membership:
    """This person becomes a member; who is one already keeps their role. Errors: AnotherPerson, InvitationClosed."""
    if invitation.email not in proven_addresses(user):
        raise AnotherPerson
    now = timezone.now()
    with in_lab(invitation.lab_id, user_id=user.pk):
        mine = _waiting(invitation.lab_id).filter(pk=invitation.pk, expires_at__gt=now)
        if not mine.update(accepted_at=now, accepted_by=user):
            raise InvitationClosed
        prove_address(user, invitation.email)
        membership, _ = Membership.objects.get_or_create(
            lab_id=invitation.lab_id,
            user=user,
            defaults={"role": invitation.role, "pairings": invitation.pairings},
        )
        given = count_of(invitation.pairings)
        record("invitation.accepted", lab_id=invitation.lab_id, target=invitation, person=user.pk)
        record("member.joined", lab_id=invitation.lab_id, target=membership, person=user.pk, role=membership.role,
               pairings=given)  # fmt: skip
    return membership


def accept_as_new_person(*, invitation: Invitation, name: str, password: str) -> User:
    """Make the log-in and the membership together. Errors: PersonExists, InvitationClosed."""
    with transaction.atomic():
        user = make_proven_person(email=invitation.email, name=name, password=password)
        accept(invitation=invitation, user=user)
    return user


def known_pairings(lab_id: UUID, role: str, pairings: Collection[UUID] | None) -> list[UUID] | None:
    """What is written down as somebody's pairings: only the lab's own; an owner has all."""
    if pairings is None or role == Role.OWNER:
        return None
    return sorted(Pairing.objects.of(lab_id).filter(pk__in=pairings).values_list("pk", flat=True))


def count_of(pairings: Collection[UUID] | None) -> int | None:
    """For the audit: how many; None is all."""
    return None if pairings is None else len(pairings)


def _waiting(lab_id: UUID) -> QuerySet[Invitation]:
    return Invitation.objects.of(lab_id).filter(accepted_at=None, revoked_at=None)


def _send(invitation: Invitation, lab: Lab, token: str) -> bool:
    sent: datetime | None = timezone.now() if mail_invitation(invitation, lab, token) else None
    with in_lab(lab.pk):
        Invitation.objects.of(lab).filter(pk=invitation.pk).update(sent_at=sent)
    invitation.sent_at = sent
    return sent is not None
