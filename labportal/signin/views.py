"""One's own sign-in: everything about it on one page."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from labportal.labs import second_step, sessions
from labportal.labs.models import Membership, User
from labportal.labs.sign_in_trail import record_for_person
from labportal.sealing import SealError


@require_GET
@login_required
def security(request: HttpRequest) -> HttpResponseBase:
    """Address, password, second steps and sessions of the person, and what their labs ask for."""
    user = request.user
    assert isinstance(user, User)
    if sessions.company_lab(request):
        return render(request, "signin/own_log_in_only.html")
    return render(request, "signin/security.html", {
        **_second_steps(user),
        "address": EmailAddress.objects.filter(user=user, primary=True).first(),
        "pending": EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).first(),
        "has_password": user.has_usable_password(),
        "session_count": len(UserSession.objects.purge_and_list(user)),
        "asking": _asking(request, user),
        "has_factor": second_step.has_factor(user),
        **_limits(user),
    })  # fmt: skip


def _limits(user: User) -> dict[str, str]:
    limit = sessions.limits(Membership.objects.filter(user=user, suspended_at=None).select_related("lab"))
    return {"idle_words": sessions.words(limit.idle), "whole_words": sessions.words(limit.whole)}


def _second_steps(user: User) -> dict[str, Any]:
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at"))
    codes = next((row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES), None)
    return {
        "totp": next((row for row in rows if row.type == Authenticator.Type.TOTP), None),
        "passkeys": [row for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        "codes_left": _left(codes) if codes else None,
    }


def _left(codes: Authenticator) -> int:
    """None is left of codes whose seed does not open: the log-in takes none."""
    try:
        return len(codes.wrap().get_unused_codes())
    except SealError:
        return 0


def _asking(request: HttpRequest, user: User) -> list[str]:
    """Who asks for a second step that this session has not shown: names of labs, and the portal for its operator."""
    memberships = Membership.objects.filter(user=user, suspended_at=None).select_related("lab")
    asking = [m.lab.name for m in memberships if second_step.missing_for_lab(request, m.lab)]
    if user.is_staff and second_step.missing_for_operator(request):
        asking.append("The operator's site")
    return asking


@require_POST
@login_required
def end_session(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Sign out one other browser of one's own. This one is signed out by the log-out."""
    user = request.user
    assert isinstance(user, User)
    others = UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key)
    get_object_or_404(others, pk=pk).end()
    record_for_person("log_in.session_ended", user)
    messages.success(request, "That browser is signed out.")
    return redirect("usersessions_list")


@login_required
def to_security(request: HttpRequest) -> HttpResponseBase:
    """allauth's own overview of second steps is a part of the page above."""
    return redirect("security")
