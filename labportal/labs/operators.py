"""The operator's door: the portal's own log-in with a second step, and never a lab's own sign-in."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from labportal.labs import second_step, sessions
from labportal.labs.models import User

# What an operator sends that changes nobody's log-in, lab, key or connection: of these no page asks again who it is.
ASK_NOTHING = {"admin:logout", "break_glass_cases", "break_glass_end"}


def may_operate(request: HttpRequest) -> bool:
    """What Django's admin asks before each of its pages."""
    return is_operator(request) and not second_step.missing_for_operator(request)


def is_operator(request: HttpRequest) -> bool:
    """A lab's provider vouches for that lab alone: whoever came in by it is nobody here."""
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff and not sessions.company_lab(request)


def must_confirm(request: HttpRequest) -> bool:
    """Every form of the operator's site counts only from somebody who has shown lately who it is."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return False
    asked = request.resolver_match.view_name if request.resolver_match else ""
    return asked not in ASK_NOTHING and not sessions.confirmed_lately(request)


def to_own_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """To the page where everybody changes their password."""
    return redirect("account_change_password")


def operators_door(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
    """Stands in for the admin's own log-in form, which has no rate limits and no second step."""
    back = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(back, request.get_host()):
        back = reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(back)
    if not is_operator(request):
        raise PermissionDenied
    if second_step.missing_for_operator(request):
        return redirect("security")
    return redirect(back)
