"""The door of every signed-in page: a member of a lab, and what that member may do.

Rhythm of a view: `@member` (or a stricter one) → fetch the lab's object or 404 → call a service → render or redirect.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from labportal.labs import second_step, sessions
from labportal.labs.models import Lab, Membership, User

P = ParamSpec("P")


class LabRequest(HttpRequest):
    """A request of a signed-in member; the middleware sets these."""

    user: User
    lab: Lab
    membership: Membership
    memberships: list[Membership]  # those that are not suspended
    suspended_in: list[Lab]


LabView = Callable[Concatenate[LabRequest, P], HttpResponseBase]


def member(view: LabView[P]) -> Callable[..., HttpResponseBase]:
    """Any member of the current lab, who has shown what the lab asks for."""

    @wraps(view)
    def guarded(request: LabRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        elsewhere = _not_yet(request)
        return view(request, *args, **kwargs) if elsewhere is None else elsewhere

    return member_at_the_door(guarded)  # type: ignore[arg-type]  # wraps() names the first argument, as below


def member_at_the_door(view: LabView[P]) -> Callable[..., HttpResponseBase]:
    """Any member of the current lab, whatever it asks for: to choose another lab, and nothing that shows this one."""

    @wraps(view)
    def guarded(request: LabRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.lab is None and request.user.is_staff:
            return redirect("admin:index")  # the operator belongs to no lab
        if request.lab is None:
            return render(request, "labs/no_lab.html", status=403)
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")  # patient data stays out of caches and back buttons
        return response

    return login_required(guarded)


def _not_yet(request: LabRequest) -> HttpResponseBase | None:
    """Where a member goes first, when the lab asks for more than this session has shown."""
    missing = missing_at_the_door(request)
    if missing == "company":
        return render(request, "labs/company_only.html", status=403)
    return redirect("security") if missing else None


def missing_at_the_door(request: LabRequest) -> str:
    """What the lab asks for and this session has not shown: "company", "second_step", or ""."""
    if request.lab.sso_required and sessions.company_lab(request) != str(request.lab.pk):
        return "company"
    return "second_step" if second_step.missing_for_lab(request, request.lab) else ""


def _only(allowed: Callable[[Membership], bool], view: LabView[P]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def guarded(request: LabRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not allowed(request.membership):
            raise PermissionDenied("role")
        return view(request, *args, **kwargs)

    return member(guarded)  # type: ignore[arg-type]  # wraps() names the first argument, which Concatenate can't


def worker(view: LabView[P]) -> Callable[..., HttpResponseBase]:
    """Owner or technician: may change a case."""
    return _only(lambda m: m.may_work, view)


def owner(view: LabView[P]) -> Callable[..., HttpResponseBase]:
    """The lab's owner: pairings, keys, people."""
    return _only(lambda m: m.may_manage, view)


def confirmed(view: LabView[P]) -> Callable[..., HttpResponseBase]:
    """Stands below @owner: what would hurt most in a stranger's hands asks again who it is, unless that was just shown.

    A form that was sent too late is not kept (it may hold a secret): the person is told, and sends it again.
    """

    @wraps(view)
    def guarded(request: LabRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        return view(request, *args, **kwargs) if sessions.confirmed_lately(request) else ask_again(request)

    return guarded


def ask_again(request: HttpRequest) -> HttpResponseBase:
    """To the page that asks who it is, and back to the page that was left."""
    back = request.get_full_path()
    if request.method != "GET":
        messages.warning(request, sessions.NOTHING_CHANGED)
        came_from = urlsplit(request.headers.get("Referer", ""))
        back = came_from.path if came_from.netloc == request.get_host() else reverse("inbox")
    methods = get_adapter(request).get_reauthentication_methods(request.user)
    where = methods[0]["url"] if methods else reverse("account_login")
    return redirect(f"{where}?{urlencode({'next': back})}")
