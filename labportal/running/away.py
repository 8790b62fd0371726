"""What is answered while the database is away: 503 in words, to be tried again; never a stack, never "accepted"."""

import sys
from collections.abc import Callable

import psycopg
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error as plain_server_error

from labportal.startup import may_serve

RETRY_AFTER = "10"  # seconds
ALWAYS = ("/healthz", "/status")
PROGRAMS = ("/api/", "/notify/", "/status")
# PostgreSQL's classes for: no connection, no room (memory, disk, connections), and being shut down or started.
CLASSES = ("08", "53", "57P")
WORDS = "The portal's database does not answer at the moment. Nothing is lost. Try again in a few seconds."


def is_away(error: BaseException | None) -> bool:
    """Whether this error of a query says that the database is away, and nothing of the query."""
    if isinstance(error, InterfaceError):
        return True
    if not isinstance(error, OperationalError):
        return False
    cause = error.__cause__
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    return state is None or state.startswith(CLASSES)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 for a person or a program. Touches no database, no session and no lab."""
    headers = {"Retry-After": RETRY_AFTER, "Cache-Control": "no-store"}
    if request.path_info.startswith(PROGRAMS):
        problem = {"type": "about:blank", "title": "Not available now", "status": 503, "code": "database_away"}
        return JsonResponse(
            problem | {"detail": WORDS}, status=503, headers=headers, content_type="application/problem+json"
        )
    return HttpResponse(render_to_string("503.html"), status=503, headers=headers)


class RolesMiddleware:
    """No page is served before the database's roles were found safe; the process answers that it lives."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if may_serve() or request.path_info in ALWAYS:
            return self.get_response(request)
        return unavailable(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's last resort for every exception that no view caught (handler500)."""
    return unavailable(request) if is_away(sys.exc_info()[1]) else plain_server_error(request)
