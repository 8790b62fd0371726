"""Opens the request's transaction, names the lab in it, and renders inside it."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from labportal.labs.models import Membership, User
from labportal.labs.routers import as_operator
from labportal.labs.tenancy import name_lab

View = Callable[..., HttpResponseBase]
ADMIN = "/admin/"


def commits_itself(view: View) -> View:
    """Mark a view that commits in the middle (it talks to Align, or answers only after COMMIT): no outer transaction."""
    view.commits_itself = True  # type: ignore[attr-defined]  # a mark on the function, read below
    return view


class LabMiddleware:
    """Not ATOMIC_REQUESTS: a TemplateResponse and the admin's lists render after that transaction, where the lab's
    setting is gone and every query gives 0 rows. So the view is called from here, and its response rendered here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase:
        with ExitStack() as stack:
            if getattr(view, "commits_itself", False):
                with transaction.atomic():
                    self._enter(request)
                stack.enter_context(timezone.override(self._zone(request)))
                return view(request, *args, **kwargs)
            stack.enter_context(transaction.atomic())
            self._enter(request)
            stack.enter_context(timezone.override(self._zone(request)))
            if request.path_info.startswith(ADMIN) and request.user.is_staff:
                stack.enter_context(as_operator())
            response = view(request, *args, **kwargs)
            render = getattr(response, "render", None)
            if callable(render):
                response = render()
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response

    def _enter(self, request: HttpRequest) -> None:
        """Find the person's labs and the one they act for; name both in the transaction."""
        request.lab = request.membership = None  # type: ignore[attr-defined]  # LabRequest is their type (access.py)
        request.memberships = []  # type: ignore[attr-defined]  # as above
        if not isinstance(user := request.user, User) or not user.is_authenticated:
            return
        name_lab(None, user.pk)
        memberships = list(Membership.objects.filter(user=user).select_related("lab").order_by("lab__name"))
        if not memberships:
            return
        chosen = request.session.get("lab")
        membership = next((m for m in memberships if m.lab.slug == chosen), memberships[0])
        request.lab, request.membership = membership.lab, membership  # type: ignore[attr-defined]  # as above
        request.memberships = memberships  # type: ignore[attr-defined]  # as above
        name_lab(membership.lab_id, user.pk)

    def _zone(self, request: HttpRequest) -> ZoneInfo:
        lab = getattr(request, "lab", None)
        return ZoneInfo(lab.time_zone if lab else "UTC")
