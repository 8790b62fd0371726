"""Who asks: an API key as bearer token, and how often it may ask. Session cookies count for nothing here."""

from time import time

from django.core.cache import cache
from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from connector.lms.models import READ_ORDERS, ApiKey
from connector.lms.services import note_use, recognise
from labportal.audit.context import KEY, Actor, act_as

MINUTE = 60


class KeyRequest(HttpRequest):
    """A request that came with a live key; ninja sets `auth`."""

    auth: ApiKey


class ApiKeyBearer(HttpBearer):
    """A live key lets its lab's orders be read: the request's transaction acts for that lab from here on."""

    openapi_description = "An API key of the lab, which the portal's operator makes: `Authorization: Bearer lp_…`"

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = recognise(token)
        if key is None:
            return None
        act_as(Actor(KEY, key.pk, key.prefix), lab_id=key.lab_id)
        if READ_ORDERS not in key.scopes:
            raise AuthorizationError
        note_use(key)
        return key


class KeyThrottle(BaseThrottle):
    """Requests of one key in a clock minute, counted in the cache that all processes share.

    Two requests at the same instant may count as one: a brake for runaway loops, no accounting.
    """

    per_minute = 600

    def allow_request(self, request: HttpRequest) -> bool:
        key = getattr(request, "auth", None)
        if not isinstance(key, ApiKey):
            return True
        counter = f"lms-rate:{key.pk}:{int(time()) // MINUTE}"
        count = cache.get(counter, 0)
        if count >= self.per_minute:
            return False
        cache.set(counter, count + 1, timeout=2 * MINUTE)
        return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return MINUTE - time() % MINUTE
