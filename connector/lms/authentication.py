"""Who asks: an API key as bearer token, from where, for what, and how often. Session cookies count for nothing here."""

from functools import partial
from ipaddress import ip_address, ip_network
from time import time

from allauth.account.adapter import get_adapter
from django.http import HttpRequest
from ninja.errors import AuthorizationError
from ninja.security import HttpBearer
from ninja.throttling import BaseThrottle

from connector.lms.models import ApiKey
from connector.lms.services import note_use, recognise
from labportal.audit.context import KEY, Actor, act_as
from labportal.audit.services import record_refusal
from labportal.counting import count, counted
from labportal.labs.afterwards import afterwards

MINUTE = 60


class KeyRequest(HttpRequest):
    """A request that came with a live key; ninja sets `auth`."""

    auth: ApiKey


class WrongNetwork(Exception):
    """A good key, used from an address that it is not given to."""


class ApiKeyBearer(HttpBearer):
    """A live key with the scope lets its lab's orders be read: the request's transaction acts for that lab from here
    on. Errors: AuthorizationError, WrongNetwork."""

    openapi_description = "An API key of the lab, which its owner makes: `Authorization: Bearer lp_…`"

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:
        key = recognise(token)
        if key is None:
            return None
        act_as(Actor(KEY, key.pk, key.prefix), lab_id=key.lab_id)
        if not is_inside(get_adapter(request).get_client_ip(request), key.networks):
            record_refusal("key.refused", lab_id=key.lab_id, target=key, key=key.prefix)
            raise WrongNetwork
        if self.scope not in key.scopes:
            raise AuthorizationError
        # Not now: the key's row would be held while a zip is hashed, and nobody could revoke the key meanwhile.
        afterwards(partial(note_use, key))
        return key


def is_inside(address: str, networks: list[str]) -> bool:
    """Whether the address lies in one of them; none named is anywhere."""
    asking = ip_address(address)
    asking = getattr(asking, "ipv4_mapped", None) or asking
    return not networks or any(asking in ip_network(network) for network in networks)


class KeyThrottle(BaseThrottle):
    """Requests of one key in a clock minute, counted for all processes at once. One that fails (500) does not count."""

    per_minute = 600

    def allow_request(self, request: HttpRequest) -> bool:
        key = getattr(request, "auth", None)
        if not isinstance(key, ApiKey):
            return True
        return self._may(f"lms-rate:{key.pk}:{int(time()) // MINUTE}")

    def _may(self, counter: str) -> bool:
        return count(counter, seconds=2 * MINUTE) <= self.per_minute

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return MINUTE - time() % MINUTE


class FileThrottle(KeyThrottle):
    """The same count, for requests that hash a zip: they are counted when their transaction has ended, or all others of
    the key would wait for them. So as many as are answered at once may slip through."""

    def _may(self, counter: str) -> bool:
        afterwards(partial(count, counter, seconds=2 * MINUTE))
        return counted(counter) < self.per_minute
