"""Calling Align on behalf of a pairing: a token that is valid, refreshed in one place, and what failures mean.

Refresh happens under a row lock held across the HTTP call: eight workers without it made a rotating vendor revoke the
family; with it one call served all eight (measured). It is the only lock that is ever held over HTTP.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.utils import timezone

from connector.itero import Client, Endpoints, TokenSet
from connector.itero.errors import (
    Forbidden,
    InvalidGrant,
    IteroError,
    NotFound,
    RateLimited,
    Unauthorized,
    VendorUnavailable,
)
from connector.pairing import vendor
from connector.pairing.models import Pairing, State
from labportal.labs.tenancy import in_lab

Answer = TypeVar("Answer")

ENOUGH = timedelta(minutes=5)
PAUSE_FIRST, PAUSE_MAX = 30.0, 3600.0
# States in which Align may still be asked with the pairing's tokens.
CALLABLE = (State.ACTIVE, State.FORBIDDEN, State.UNPAIRING)


class PairingStopped(Exception):
    """The pairing can't call Align until a person acts; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Access:
    """What one call needs."""

    client: Client
    endpoints: Endpoints
    access_token: str


def call(lab_id: UUID, pairing_id: UUID, action: Callable[[Access], Answer]) -> Answer:
    """Run one call to Align; a 401 refreshes once and repeats once, a 404 asks Discovery once whether the region moved.

    Errors: PairingStopped, or the IteroError after the pairing's row says what it means.
    """
    access = access_for(lab_id, pairing_id)
    try:
        return action(access)
    except Unauthorized:
        access = refresh(lab_id, pairing_id, refused_token=access.access_token)
    except NotFound:
        moved = _rediscover(lab_id, pairing_id, access)
        if moved is None:
            raise
        access = moved
    except IteroError as error:
        note_failure(lab_id, pairing_id, error)
        raise
    try:
        return action(access)
    except Unauthorized as error:
        stop(lab_id, pairing_id, State.NEEDS_PAIRING, error.code)
        raise PairingStopped(error.code) from error
    except IteroError as error:
        note_failure(lab_id, pairing_id, error)
        raise


def access_for(lab_id: UUID, pairing_id: UUID) -> Access:
    """A token good for five minutes more. Errors: PairingStopped, IteroError of a refresh."""
    with in_lab(lab_id):
        pairing = Pairing.objects.of(lab_id).get(pk=pairing_id)
        if pairing.state not in CALLABLE:
            raise PairingStopped(pairing.reason or pairing.state)
        if _fresh(pairing, timezone.now()):
            return Access(vendor.client(), pairing.vendor_endpoints, pairing.tokens.access_token)
    return refresh(lab_id, pairing_id)


def refresh(lab_id: UUID, pairing_id: UUID, *, refused_token: str = "") -> Access:
    """Refresh once for all workers; the new refresh token is committed before the new access token is used."""
    refused: InvalidGrant | None = None
    with in_lab(lab_id):
        pairing = _locked(lab_id, pairing_id)
        if pairing.state not in CALLABLE:
            raise PairingStopped(pairing.reason or pairing.state)
        tokens = pairing.tokens
        if _fresh(pairing, timezone.now()) and tokens.access_token != refused_token:
            return Access(vendor.client(), pairing.vendor_endpoints, tokens.access_token)
        try:
            tokens, endpoints = _refresh_at_align(pairing, tokens)
        except InvalidGrant as error:
            refused = error
            _stopped(pairing, State.NEEDS_PAIRING, error.code)
        else:
            now = timezone.now()
            pairing.set_tokens(tokens, now + timedelta(seconds=tokens.expires_in))
            pairing.refreshed_at = now
            _store_endpoints(pairing, endpoints)
            pairing.save()
    if refused is not None:
        raise PairingStopped(refused.code) from refused
    return Access(vendor.client(), endpoints, tokens.access_token)


def _locked(lab_id: UUID, pairing_id: UUID) -> Pairing:
    """The row under the refresh lock. Waiting for another worker's refresh may take longer than a statement should."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '110s'")
    return Pairing.objects.of(lab_id).select_for_update().get(pk=pairing_id)


def _fresh(pairing: Pairing, now: datetime) -> bool:
    return pairing.access_expires_at is not None and pairing.access_expires_at - now > ENOUGH


def _refresh_at_align(pairing: Pairing, tokens: TokenSet) -> tuple[TokenSet, Endpoints]:
    """Discovery first, as Align asks; but it needs a token that may have expired overnight, so it never prevents a
    refresh: the last stored token address serves then, and after that the authorization server itself."""
    align = vendor.client()
    endpoints = pairing.vendor_endpoints
    try:
        endpoints = align.discovery(access_token=tokens.access_token)
    except IteroError:
        pass
    try:
        return align.refresh_token(endpoints, refresh_token=tokens.refresh_token), endpoints
    except NotFound:
        # The region's address is gone. A lost answer does not come here: it might have rotated the token.
        return align.refresh_token(None, refresh_token=tokens.refresh_token), endpoints


def _rediscover(lab_id: UUID, pairing_id: UUID, access: Access) -> Access | None:
    """The account may have moved region: None when Discovery answers as before, or not at all."""
    try:
        endpoints = access.client.discovery(access_token=access.access_token)
    except IteroError:
        return None
    if endpoints == access.endpoints:
        return None
    with in_lab(lab_id):
        pairing = Pairing.objects.of(lab_id).select_for_update().get(pk=pairing_id)
        _store_endpoints(pairing, endpoints)
        pairing.save(update_fields=["endpoints", "region"])
    return Access(access.client, endpoints, access.access_token)


def _store_endpoints(pairing: Pairing, endpoints: Endpoints) -> None:
    pairing.endpoints, pairing.region = endpoints.to_json(), endpoints.region


def note_failure(lab_id: UUID, pairing_id: UUID, error: IteroError) -> None:
    """Write what a failure means for the whole pairing: forbidden stops it, 429 and 5xx pause it (not the order)."""
    if isinstance(error, Forbidden):
        stop(lab_id, pairing_id, State.FORBIDDEN, error.code)
    elif isinstance(error, (RateLimited, VendorUnavailable)):
        with in_lab(lab_id):
            rows = Pairing.objects.of(lab_id).filter(pk=pairing_id)
            failures = rows.values_list("failures", flat=True).get()
            until = timezone.now() + timedelta(seconds=back_off(failures, error.retry_after))
            rows.update(paused_until=until, failures=F("failures") + 1, reason=error.code, reason_at=timezone.now())


def back_off(failures: int, retry_after: float | None = None) -> float:
    """Seconds to wait: what Align asked for, else doubling from 30 s to an hour, with up to a fifth of jitter."""
    wait = retry_after if retry_after is not None else min(PAUSE_FIRST * 2 ** min(failures, 10), PAUSE_MAX)
    return wait * random.uniform(1.0, 1.2)  # noqa: S311 - jitter against a herd, not a secret


def stop(lab_id: UUID, pairing_id: UUID, state: State, code: str) -> None:
    """The pairing waits for a person."""
    with in_lab(lab_id):
        pairing = Pairing.objects.of(lab_id).select_for_update().get(pk=pairing_id)
        if pairing.state in CALLABLE and pairing.state != State.UNPAIRING:
            _stopped(pairing, state, code)


def _stopped(pairing: Pairing, state: State, code: str) -> None:
    pairing.state, pairing.reason, pairing.reason_at = state, code, timezone.now()
    pairing.save(update_fields=["state", "reason", "reason_at"])
