"""People of the lab, for its owner: who is in it, what they may do, whom to invite."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labportal.labs.access import LabRequest, confirmed, member, owner
from labportal.labs.middleware import commits_itself
from labportal.labs.models import Membership, Role
from labportal.labs.tenancy import in_lab
from labportal.people import invitations, members
from labportal.people.forms import InviteForm, RightsForm, rights_of
from labportal.people.limits import is_too_much, too_many
from labportal.people.models import Invitation
from labportal.people.page import connections_of, people_page
from labportal.people.words import LAST_OWNER, REFUSED, ROLE_HINTS, role_words

GET_OR_POST = require_http_methods(["GET", "HEAD", "POST"])
NOT_SENT = "The invitation stands, but the mail could not be sent. Try “Send again” in a few minutes."


@require_safe
@owner
def people(request: LabRequest) -> HttpResponseBase:
    """Members and open invitations."""
    return render(request, "people/people.html", people_page(request.lab, me=request.user))


@commits_itself
@GET_OR_POST
@owner
@confirmed
def invite(request: LabRequest) -> HttpResponseBase:
    """Ask somebody in; the mail leaves outside of a transaction."""
    if is_too_much(request, "invite"):
        return too_many(request)
    with in_lab(request.lab.pk):
        form = InviteForm(request.POST or None, connections=connections_of(request.lab))
    if request.method == "POST" and form.is_valid():
        try:
            made = invitations.invite(
                lab=request.lab, email=form.cleaned_data["email"], role=form.cleaned_data["role"],
                pairings=form.given, by=request.user,
            )  # fmt: skip
        except invitations.InviteRefused as error:
            form.add_error("email", REFUSED[error.code])
        else:
            _tell_sent(request, made.email, sent=made.sent_at is not None)
            return redirect("people")
    with in_lab(request.lab.pk):
        return render(request, "people/invite.html", {"form": form, "hints": ROLE_HINTS})


@commits_itself
@require_POST
@owner
@confirmed
def invitation_resend(request: LabRequest, invitation_id: UUID) -> HttpResponseBase:
    """A new link; the old one ends."""
    if is_too_much(request, "invite"):
        return too_many(request)
    with in_lab(request.lab.pk):
        asked = get_object_or_404(Invitation.objects.of(request.lab).select_related("invited_by"), pk=invitation_id)
    try:
        _tell_sent(request, asked.email, sent=invitations.send_again(invitation=asked, lab=request.lab))
    except invitations.InvitationClosed:
        messages.info(request, "This invitation was taken up or withdrawn meanwhile.")
    return redirect("people")


@require_POST
@owner
def invitation_withdraw(request: LabRequest, invitation_id: UUID) -> HttpResponseBase:
    """The link in the mail opens nothing from now on."""
    asked = get_object_or_404(Invitation.objects.of(request.lab), pk=invitation_id)
    if invitations.withdraw(invitation=asked):
        messages.success(request, f"Withdrawn. The link that {asked.email} has opens nothing any more.")
    return redirect("people")


def _tell_sent(request: LabRequest, email: str, *, sent: bool) -> None:
    if sent:
        messages.success(request, f"An invitation is on its way to {email}. It can be used for seven days.")
    else:
        messages.warning(request, NOT_SENT)


@GET_OR_POST
@owner
@confirmed
def member_page(request: LabRequest, membership_id: UUID) -> HttpResponseBase:
    """One member: what they may do; and the ways to end it."""
    found = _member(request, membership_id)
    connections = connections_of(request.lab)
    form = RightsForm(request.POST or None, initial=rights_of(found), connections=connections)
    if request.method == "POST" and form.is_valid():
        try:
            ended = members.change_member(membership=found, role=form.cleaned_data["role"], pairings=form.given)
        except members.LastOwner:
            form.add_error("role", LAST_OWNER)
        else:
            messages.success(request, f"Saved. It counts from {found.user.display_name}'s next click on.{_what(ended)}")
            return redirect("people")
    return render(request, "people/member.html", {
        "person": found, "form": form, "hints": ROLE_HINTS, "is_me": found.user_id == request.user.pk,
        "keys": members.keys_of(found), "is_owner": found.role == Role.OWNER,
    })  # fmt: skip


@GET_OR_POST
@owner
@confirmed
def member_suspend(request: LabRequest, membership_id: UUID) -> HttpResponseBase:
    """First what ends; then, confirmed, the end of it."""
    found = _member(request, membership_id)
    if request.method != "POST":
        return _what_ends(request, found, "suspend")
    return _end(request, found, members.suspend, "is suspended and sees nothing of the lab")


@require_POST
@owner
@confirmed
def member_resume(request: LabRequest, membership_id: UUID) -> HttpResponseBase:
    """After a suspension."""
    found = _member(request, membership_id)
    members.let_in_again(membership=found)
    messages.success(request, f"{found.user.display_name} may come in again.")
    return redirect("people")


@GET_OR_POST
@owner
@confirmed
def member_remove(request: LabRequest, membership_id: UUID) -> HttpResponseBase:
    """First what ends and what stays; then, confirmed, the person is out."""
    found = _member(request, membership_id)
    if request.method != "POST":
        return _what_ends(request, found, "remove")
    return _end(request, found, members.remove, "is no longer in the lab")


@GET_OR_POST
@member
@confirmed
def leave(request: LabRequest) -> HttpResponseBase:
    """Going by oneself."""
    if request.method != "POST":
        return _what_ends(request, request.membership, "leave")
    try:
        members.remove(membership=request.membership)
    except members.LastOwner:
        messages.error(request, LAST_OWNER)
        return redirect("leave_lab")
    logout(request)
    messages.success(request, f"You have left {request.lab.name}.")
    return redirect("inbox")  # by way of the log-in


def _member(request: LabRequest, membership_id: UUID) -> Membership:
    return get_object_or_404(Membership.objects.of(request.lab).select_related("user", "lab"), pk=membership_id)


def _what_ends(request: LabRequest, found: Membership, act: str) -> HttpResponseBase:
    keys = members.keys_of(found)
    context = {"person": found, "act": act, "keys": keys, "role": role_words(found.role)}
    return render(request, "people/ending.html", context)


def _end(request: LabRequest, found: Membership, verb: Any, words: str) -> HttpResponseBase:
    try:
        ended = verb(membership=found)
    except members.LastOwner:
        messages.error(request, LAST_OWNER)
        return redirect("member", membership_id=found.pk)
    sessions, keys = _counted(ended.sessions, "session"), _counted(ended.keys, "API key")
    messages.success(request, f"{found.user.display_name} {words}. Ended: {sessions}, {keys}.")
    return redirect("people")


def _what(ended: members.Ended) -> str:
    counted = ((ended.keys, "API key"), (ended.invitations, "invitation"))
    found = ", ".join(_counted(number, what) for number, what in counted if number)
    return f" Ended: {found}." if found else ""


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
