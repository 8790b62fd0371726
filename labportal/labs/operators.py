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


def may_operate(request: HttpRequest) -> bool:
    """What Django's admin asks before each of its pages."""
    return is_operator(request) and not second_step.missing_for_operator(request)


def is_operator(request: HttpRequest) -> bool:
    """A lab's provider vouches for that lab alone: whoever came in by it is nobody here."""
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff and not sessions.company_lab(request)


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
