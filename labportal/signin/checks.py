"""Settings that would let people in too easily are refused before the first request."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def operators_have_a_second_step(**kwargs: Any) -> list[CheckMessage]:
    if settings.SECURE and not settings.OPERATORS_NEED_MFA:
        return [Error("OPERATORS_NEED_MFA must be on at an https address.", id="signin.E001")]
    return []


@register()
def sessions_end(**kwargs: Any) -> list[CheckMessage]:
    idle, whole = settings.SESSION_IDLE_MINUTES, settings.SESSION_MAX_HOURS * 60
    if not 2 <= idle <= whole or whole > 7 * 24 * 60:
        return [Error("SESSION_IDLE_MINUTES: 2 to SESSION_MAX_HOURS, which is at most 168.", id="signin.E002")]
    return []
