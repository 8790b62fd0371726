"""Opens the request's transaction, names the lab in it, and renders inside it."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.middleware import AccountMiddleware
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from labportal.audit.services import collected
from labportal.labs import scope, sessions
from labportal.labs.access import ask_again
from labportal.labs.afterwards import at_the_end
from labportal.labs.models import Membership, User
from labportal.labs.operators import may_operate, must_confirm
from labportal.labs.routers import as_operator
from labportal.labs.services import note_seen
from labportal.labs.tenancy import name_lab

View = Callable[..., HttpResponseBase]
ADMIN = "/admin/"


def commits_itself(view: View) -> View:
    """Mark a view that commits in the middle (it talks to Align, or answers after COMMIT): no outer transaction."""
    view.commits_itself = True  # type: ignore[attr-defined]  # a mark on the function, read below
    return view


def needs_no_database(view: View) -> View:
    """Mark a view that answers while the database is away: it knows no person and no lab."""
    view.needs_no_database = True  # type: ignore[attr-defined]  # as above
    return view


class LabMiddleware:
    """Not ATOMIC_REQUESTS: a TemplateResponse and the admin's lists render after that transaction, where the lab's
    setting is gone and every query gives 0 rows. So the view is called from here, and its response rendered here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # The handler would pass a view's exception to allauth; it does not for a view that is called from here.
        self._allauth = AccountMiddleware(get_response).process_exception

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 500 and (membership := getattr(request, "membership", None)) is not None:
            note_seen(membership)
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        if getattr(view, "needs_no_database", False):
            return None
        try:
            return self._run(request, view, args, kwargs)
        except Exception as error:
            answer: HttpResponseBase | None = self._allauth(request, error)
            if answer is None:
                raise
            sessions.keep_no_form(request)
            return answer

    def _run(self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]) -> HttpResponseBase:
        """An operator's page has no transaction of ours either: Django's admin opens its own around each change, and
        "Test the connection" must commit a renewed token before it is used."""
        operating = request.path_info.startswith(ADMIN) and may_operate(request)
        ours = not operating and not getattr(view, "commits_itself", False)
        with ExitStack() as stack:
            stack.enter_context(scope.seeing(None))  # until the member or the key is known; then undone
            stack.enter_context(at_the_end())
            if ours:
                stack.enter_context(transaction.atomic())
                stack.enter_context(collected())
                self._enter(request)
            else:
                with transaction.atomic():
                    self._enter(request)
            if sessions.is_over(request):
                return sessions.to_log_in(request)
            if operating and must_confirm(request):
                return ask_again(request)
            stack.enter_context(timezone.override(self._zone(request)))
            if operating:
                stack.enter_context(scope.seeing(None))
                stack.enter_context(as_operator())
            response = view(request, *args, **kwargs)
            render = getattr(response, "render", None)
            if callable(render):
                response = render()
            if ours and response.status_code >= 500:
                transaction.set_rollback(True)
            return response

    def _enter(self, request: HttpRequest) -> None:
        """Find the person's labs and the one they act for; name both in the transaction."""
        request.lab = request.membership = None  # type: ignore[attr-defined]  # LabRequest is their type (access.py)
        request.memberships = []  # type: ignore[attr-defined]  # as above
        request.suspended_in = []  # type: ignore[attr-defined]  # as above
        if not isinstance(user := request.user, User) or not user.is_authenticated:
            return
        name_lab(None, user.pk)
        mine = list(Membership.objects.filter(user=user).select_related("lab").order_by("lab__name"))
        memberships = [each for each in mine if each.suspended_at is None]
        if sessions.end_if_over(request, memberships):
            name_lab(None, None)  # nobody any more: what follows sees no row
            return
        mine, memberships = sessions.reachable(request, mine), sessions.reachable(request, memberships)
        request.suspended_in = [each.lab for each in mine if each.suspended_at]  # type: ignore[attr-defined]  # as above
        if not memberships:
            return
        chosen = request.session.get("lab")
        membership = next((m for m in memberships if m.lab.slug == chosen), memberships[0])
        request.lab, request.membership = membership.lab, membership  # type: ignore[attr-defined]  # as above
        request.memberships = memberships  # type: ignore[attr-defined]  # as above
        scope.change(membership.scope)
        name_lab(membership.lab_id, user.pk)

    def _zone(self, request: HttpRequest) -> ZoneInfo:
        lab = getattr(request, "lab", None)
        return ZoneInfo(lab.time_zone if lab else "UTC")
