"""A session that a lab's own provider opened is for that lab; the person's own log-in is not the lab's to change."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from labportal.labs import sessions

# Of allauth's pages those that such a session needs. All others show or change the person's own log-in, which may open
# other labs: a provider of lab A that added a passkey could walk into lab B with it.
OPEN = {
    "account_login", "account_logout", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
}  # fmt: skip


class CompanySessionMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """None lets the view run."""
        theirs = view.__module__.startswith("allauth.")
        name = request.resolver_match.url_name if request.resolver_match else None
        if theirs and name not in OPEN and sessions.company_lab(request):
            return render(request, "signin/own_log_in_only.html", status=403)
        return None
