"""The audit's door of every request: who asks and from where; and what was refused to somebody who is signed in."""

from collections.abc import Callable
from uuid import UUID

from allauth.core.internal.httpkit import get_client_ip
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponseBase

from labportal.audit.context import KEY, VISITOR, Acting, acting
from labportal.audit.services import record_refusal, write_refusals

REFUSED = (403, 404)


class AuditMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting(request=request, ip=address_of(request)) as door:
            response = self.get_response(request)
            if response.status_code in REFUSED and request.resolver_match:
                _note(request, door, response.status_code)
            write_refusals()
            return response


def _note(request: HttpRequest, door: Acting, status: int) -> None:
    """Strangers are not counted: they see nothing anyway, and could fill the chain."""
    who = door.who()
    if who.kind == VISITOR or request.resolver_match is None:
        return
    lab = getattr(request, "lab", None)
    lab_id = door.lab_id if who.kind == KEY else getattr(lab, "pk", None)
    asked = next((value for value in request.resolver_match.kwargs.values() if isinstance(value, UUID)), None)
    record_refusal(
        "access.refused",
        lab_id=lab_id,
        route=request.resolver_match.view_name,
        method=request.method or "",
        status=status,
        asked=asked,
    )


def address_of(request: HttpRequest) -> str:
    """The visitor's address by the same rule of trusted proxies as the log-in limits; '' when it can't be told."""
    try:
        return get_client_ip(request) or ""
    except ImproperlyConfigured:
        return ""
