"""Changing what a member may do, suspending, removing, leaving: the verbs. A lab always keeps an owner."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from connector.lms.models import ApiKey
from connector.lms.services import revoke_key
from labportal.audit.services import record
from labportal.labs.models import Membership, Role, User
from labportal.labs.sessions import COMPANY
from labportal.labs.sign_in_trail import record_for_person
from labportal.labs.tenancy import in_lab
from labportal.people.invitations import count_of, known_pairings, withdraw_all_of


class LastOwner(Exception):
    """Without this person the lab would have no owner."""


class NotThere(Exception):
    """The person is no longer in the lab."""


@dataclass(frozen=True)
class Ended:
    """What ended with a person's access to a lab, or with their being an owner."""

    sessions: int = 0
    keys: int = 0
    invitations: int = 0


def change_member(*, membership: Membership, role: str, pairings: Collection[UUID] | None) -> Ended:
    """What a member may do, and in which pairings (None: all); it counts from their next click on. With an owner's role
    end the keys and invitations that only an owner makes; sessions stay, since each click asks for the role.
    Errors: LastOwner, NotThere."""
    with _changing(membership, keeps_owner=role == Role.OWNER) as locked:
        was = locked.role
        locked.role, locked.pairings = role, known_pairings(locked.lab_id, role, pairings)
        locked.save(update_fields=["role", "pairings"])
        ended = _end_doors(locked) if was == Role.OWNER != role else Ended()
        _record("member.changed", locked, was=was, role=role, pairings=count_of(locked.pairings), **asdict(ended))
    return ended


def suspend(*, membership: Membership) -> Ended:
    """The person sees nothing of the lab until they are let in again; what they did stays.
    Errors: LastOwner, NotThere."""
    with _changing(membership, keeps_owner=False) as locked:
        if locked.suspended_at is None:
            locked.suspended_at = timezone.now()
            locked.save(update_fields=["suspended_at"])
        ended = _end_access(locked)
        _record("member.suspended", locked, **asdict(ended))
    return ended


def let_in_again(*, membership: Membership) -> None:
    """After a suspension. Keys that ended stay ended. Errors: NotThere."""
    with _changing(membership, keeps_owner=True) as locked:
        locked.suspended_at = None
        locked.save(update_fields=["suspended_at"])
        _record("member.let_in_again", locked)


def remove(*, membership: Membership) -> Ended:
    """The person leaves the lab, by an owner's hand or their own; what they did stays theirs.
    Errors: LastOwner, NotThere."""
    with _changing(membership, keeps_owner=False) as locked:
        ended = _end_access(locked)
        _record("member.removed", locked, role=locked.role, **asdict(ended))
        locked.delete()
    return ended


def close_log_in(*, user: User) -> None:
    """The operator closes a person's log-in: sessions end, and keys and invitations in all labs. Call it as operator,
    who sees all of the person's labs."""
    rows = list(Membership.objects.filter(user=user).select_related("user"))
    with transaction.atomic():
        for session in UserSession.objects.filter(user=user):
            session.end()
        for membership in rows:
            with in_lab(membership.lab_id):
                _end_access(membership)
        record_for_person("log_in.closed", user)


def keys_of(membership: Membership) -> list[ApiKey]:
    """The live keys that this person made in this lab: they end with the person's access."""
    with in_lab(membership.lab_id):
        return list(ApiKey.objects.of(membership.lab_id).filter(created_by=membership.user_id, revoked_at=None))


@contextmanager
def _changing(membership: Membership, *, keeps_owner: bool) -> Iterator[Membership]:
    """The lab's owners are locked in one order, so of two owners who remove each other one comes too late."""
    with in_lab(membership.lab_id):
        rows = locked_rows(Membership.objects.of(membership.lab_id))
        owners = [row.pk for row in rows.filter(role=Role.OWNER, suspended_at=None)]
        locked = rows.select_related("user", "lab").filter(pk=membership.pk).first()
        if locked is None:
            raise NotThere
        if not keeps_owner and owners == [locked.pk]:
            raise LastOwner
        yield locked


def locked_rows(rows: QuerySet[Membership]) -> QuerySet[Membership]:
    """Held until the transaction ends."""
    return rows.select_for_update(of=("self",)).order_by("pk")


def _record(action: str, membership: Membership, **facts: str | int | None) -> None:
    record(action, lab_id=membership.lab_id, target=membership, person=membership.user_id, **facts)


def _end_access(membership: Membership) -> Ended:
    """Sessions that act for this lab, keys and open invitations that the person made: in the running transaction."""
    return replace(_end_doors(membership), sessions=_end_sessions(membership))


def _end_doors(membership: Membership) -> Ended:
    """Keys, and open invitations, which may be to a second self: an owner's ways in beside a session."""
    keys = keys_of(membership)
    for key in keys:
        revoke_key(key=key)
    return Ended(keys=len(keys), invitations=withdraw_all_of(lab_id=membership.lab_id, by=membership.user))


def _end_sessions(membership: Membership) -> int:
    """A session that acts for another of the person's labs stays: it can't come back to this one."""
    others, ended = _other_labs(membership), 0
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for session in UserSession.objects.filter(user_id=membership.user_id):
        kept = store(session.session_key)
        if kept.get("lab") not in others or kept.get(COMPANY) == str(membership.lab_id):
            session.end()
            ended += 1
    return ended


def _other_labs(membership: Membership) -> set[str]:
    user: User = membership.user
    with in_lab(membership.lab_id, user_id=user.pk):
        there = Membership.objects.filter(user=user, suspended_at=None).exclude(lab_id=membership.lab_id)
        return set(there.values_list("lab__slug", flat=True))
