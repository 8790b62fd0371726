"""Everything the People page shows, in words."""

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils import timezone

from connector.orders.words import moment_words
from connector.pairing.models import Pairing, State
from labportal.labs.models import Lab, Membership, User
from labportal.labs.second_step import FACTORS
from labportal.people.models import Invitation
from labportal.people.words import role_words

NAMES_SHOWN = 3


def connections_of(lab: Lab) -> list[Pairing]:
    """What rights can be given for; what was disconnected keeps its cases, and so stays in the list."""
    return list(Pairing.objects.of(lab).exclude(state=State.CONNECTING, paired_at=None).order_by("account_name", "pk"))


def people_page(lab: Lab, *, me: User) -> dict[str, Any]:
    """Members and invitations of one lab, in a fixed number of queries."""
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    names = {pairing.pk: pairing.account_name for pairing in connections_of(lab)}
    members = list(Membership.objects.of(lab).select_related("user").order_by("user__name", "user__email"))
    safe = _with_second_step([each.user_id for each in members])
    waiting = Invitation.objects.of(lab).filter(accepted_at=None, revoked_at=None).select_related("invited_by")
    return {
        "members": [_member(each, me, names, now, zone) | {"second_step": each.user_id in safe} for each in members],
        "invitations": [_invitation(each, names, now, zone) for each in waiting.order_by("-created_at")],
    }


def _with_second_step(people: list[UUID]) -> set[UUID]:
    return set(Authenticator.objects.filter(user__in=people, type__in=FACTORS).values_list("user_id", flat=True))


def _member(member: Membership, me: User, names: dict[UUID, str], now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    state, tone = ("Suspended", "bad") if member.suspended_at else ("", "")
    if not member.user.is_active:
        state, tone = "Log-in closed", "bad"
    return {
        "id": member.pk, "name": member.user.display_name, "email": member.user.email,
        "is_me": member.user_id == me.pk, "role": role_words(member.role),
        "connections": pairing_words(None if member.scope is None else list(member.scope), names),
        "last_seen": moment_words(member.last_seen_at, now, zone) if member.last_seen_at else "Never",
        "state": state, "tone": tone, "url": reverse("member", args=[member.pk]),
    }  # fmt: skip


def _invitation(asked: Invitation, names: dict[UUID, str], now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    if asked.expires_at <= now:
        state, tone = "Expired: send it again", "bad"
    elif asked.sent_at is None:
        state, tone = "The mail could not be sent: try again", "bad"
    else:
        state, tone = f"Waiting, until {moment_words(asked.expires_at, now, zone)}", "warn"
    return {
        "id": asked.pk, "email": asked.email, "role": role_words(asked.role), "state": state, "tone": tone,
        "connections": pairing_words(asked.pairings, names),
        "by": asked.invited_by.display_name if asked.invited_by else "",
    }  # fmt: skip


def pairing_words(pairings: list[UUID] | None, names: dict[UUID, str]) -> str:
    """ "All", or the names of some connections; a few of many."""
    if pairings is None:
        return "All"
    known = sorted(names[pk] for pk in pairings if pk in names)
    more = f" and {len(known) - NAMES_SHOWN} more" if len(known) > NAMES_SHOWN else ""
    return ", ".join(known[:NAMES_SHOWN]) + more or "None"
