"""The door of every signed-in page: a member of a lab, and what that member may do.

Rhythm of a view: `@member` (or a stricter one) → fetch the lab's object or 404 → call a service → render or redirect.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render

from labportal.labs.models import Lab, Membership, User

P = ParamSpec("P")


class LabRequest(HttpRequest):
    """A request of a signed-in member; the middleware sets these."""

    user: User
    lab: Lab
    membership: Membership
    memberships: list[Membership]


LabView = Callable[Concatenate[LabRequest, P], HttpResponseBase]


def member(view: LabView[P]) -> Callable[..., HttpResponseBase]:
    """Any member of the current lab."""

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
