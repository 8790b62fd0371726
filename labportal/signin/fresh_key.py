"""A session gets another key when its person has confirmed who it is: a key that somebody overheard before does not
open what was asked for."""

from collections.abc import Callable

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponseBase


class FreshKeyMiddleware:
    """Log-ins get theirs by Django; a confirmation adds a record to the same session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        key, before = request.session.session_key, _confirmed_at(request)
        response = self.get_response(request)
        if key and request.session.session_key == key and _confirmed_at(request) > before:
            request.session.cycle_key()
            UserSession.objects.filter(session_key=key).update(session_key=request.session.session_key)
        return response


def _confirmed_at(request: HttpRequest) -> float:
    records = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY) or []
    return max((record["at"] for record in records if record.get("reauthenticated")), default=0.0)
