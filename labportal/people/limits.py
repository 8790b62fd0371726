"""How often a visitor may do what sends mails or tries links; counted by allauth beside the log-in's limits."""

from allauth.core import ratelimit
from django.http import HttpRequest, HttpResponseBase


def is_too_much(request: HttpRequest, action: str, key: str | None = None) -> bool:
    """Count one; `action` stands in settings.ACCOUNT_RATE_LIMITS."""
    return not ratelimit.consume(request, action=action, key=key)


def too_many(request: HttpRequest) -> HttpResponseBase:
    answer: HttpResponseBase = ratelimit.respond_429(request)
    return answer
