"""A session that a lab's own provider opened is for that lab; the person's own log-in is not the lab's to change."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from labportal.labs import sessions

# Of the addresses below accounts/ those that such a session needs; "security" says itself what it is not for. All
# others, allauth's and ours, show or change the person's own log-in, which may open other labs: a provider of lab A
# that added a passkey could walk into lab B with it.
OPEN = {
    "account_login", "account_logout", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
    "security", "mfa_index", "company_sign_in", "company_door", "openid_connect_callback",
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
        match = request.resolver_match
        shut = match is not None and match.route.startswith("accounts/") and match.url_name not in OPEN
        if shut and sessions.company_lab(request):
            return render(request, "signin/own_log_in_only.html", status=403)
        return None
