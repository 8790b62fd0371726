"""Calling Align on behalf of a pairing: a token that is valid, refreshed in one place, and what failures mean.

Refresh happens under a row lock held across the HTTP call: eight workers without it made a rotating vendor revoke the
family; with it one call served all eight (measured). It is the only lock that is ever held over HTTP.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from connector.itero import Client, Endpoints, TokenSet
from connector.itero.errors import (
    HostNotAllowed,
    HumanError,
    InvalidGrant,
    IteroError,
    NoSuchPage,
    NotFound,
    RetryableError,
    Unauthorized,
)
from connector.pairing import vendor
from connector.pairing.models import Pairing, State
from connector.pairing.trouble import (
    CALLABLE,
    PairingStopped,
    back_off,
    end_sign_in,
    give_up,
    lock,
    pause,
    wait_for_person,
)
from labportal.faults import fault
from labportal.keeping import safe_mode
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

__all__ = ["ADDRESS_GONE", "Access", "PairingStopped", "access_for", "back_off", "call", "refresh"]

Answer = TypeVar("Answer")

ENOUGH = timedelta(minutes=5)
# The account may have moved region.
ADDRESS_GONE = (NotFound, NoSuchPage, HostNotAllowed)


@dataclass(frozen=True)
class Access:
    """What one call needs."""

    client: Client
    endpoints: Endpoints
    access_token: str = field(repr=False)


def call(lab_id: UUID, pairing_id: UUID, action: Callable[[Access], Answer]) -> Answer:
    """Run one call to Align. A 401 refreshes once, an unknown or foreign address asks Discovery once whether the region
    moved; then the action runs again from its beginning, so it must bear that. No transaction is open.

    Errors: PairingStopped, or the IteroError after the pairing's row says what it means.
    """
    access = access_for(lab_id, pairing_id)
    renewed = moved = False
    while True:
        try:
            return action(access)
        except Unauthorized as error:
            if renewed:
                end_sign_in(lab_id, pairing_id, error, refused_token=access.access_token)
                access = access_for(lab_id, pairing_id)
            else:
                access, renewed = refresh(lab_id, pairing_id, refused_token=access.access_token), True
        except ADDRESS_GONE as error:
            elsewhere = None if moved else _rediscover(lab_id, pairing_id, access)
            if elsewhere is None:
                give_up(lab_id, pairing_id, error)
            access, moved = elsewhere, True
        except IteroError as error:
            give_up(lab_id, pairing_id, error)


def access_for(lab_id: UUID, pairing_id: UUID) -> Access:
    """A token good for five minutes more. Errors: PairingStopped, RetryableError of a refresh."""
    with in_lab(lab_id):
        pairing = Pairing.objects.of(lab_id).get(pk=pairing_id)
        tokens = _tokens(pairing)
        if _fresh(pairing, timezone.now()):
            return Access(vendor.client(), pairing.vendor_endpoints, tokens.access_token)
    return refresh(lab_id, pairing_id)


def refresh(lab_id: UUID, pairing_id: UUID, *, refused_token: str = "") -> Access:
    """Refresh once for all workers; the new set is committed before the new access token is used: `durable` refuses to
    run inside another transaction. Errors: PairingStopped, RetryableError."""
    failed: IteroError | None = None
    with transaction.atomic(durable=True), in_lab(lab_id):
        pairing = _locked(lab_id, pairing_id)
        tokens, endpoints = _tokens(pairing), pairing.vendor_endpoints
        if _fresh(pairing, timezone.now()) and tokens.access_token != refused_token:
            return Access(vendor.client(), endpoints, tokens.access_token)
        fault("refresh.before_call")
        try:
            tokens, endpoints = _refresh_at_align(endpoints, tokens)
        except IteroError as error:
            failed = error
            if isinstance(error, InvalidGrant):
                wait_for_person(pairing, State.NEEDS_PAIRING, error.code)
            else:
                pause(pairing, error)  # without a token there is nothing to call
        else:
            fault("refresh.after_rotation")
            now = timezone.now()
            pairing.set_tokens(tokens, now + timedelta(seconds=tokens.expires_in))
            pairing.refreshed_at = now
            pairing.set_endpoints(endpoints)
            pairing.save(update_fields=["sealed_tokens", "access_expires_at", "refreshed_at", "endpoints", "region"])
            fault("refresh.before_commit")
    if isinstance(failed, HumanError):
        raise PairingStopped(failed.code) from failed
    if failed is not None:
        raise failed
    return Access(vendor.client(), endpoints, tokens.access_token)


def _locked(lab_id: UUID, pairing_id: UUID) -> Pairing:
    """The row under the refresh lock. Waiting for another worker's refresh may take longer than a statement should, and
    a slow Align must not cost us the connection: the set that it is about to answer would be lost with it."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '110s'")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '15min'")
    return lock(lab_id, pairing_id)


def _tokens(pairing: Pairing) -> TokenSet:
    """The stored set. Errors: PairingStopped when the pairing must not call, or the set can't be opened."""
    if safe_mode.is_on():
        # A restored token was perhaps used since: shown again, Align ends the sign-in.
        raise PairingStopped("safe_mode")
    if pairing.state not in CALLABLE:
        raise PairingStopped(pairing.reason or "not_paired")
    try:
        return pairing.tokens
    except SealError as error:
        raise PairingStopped(error.code) from error


def _fresh(pairing: Pairing, now: datetime) -> bool:
    return pairing.access_expires_at is not None and pairing.access_expires_at - now > ENOUGH


def _refresh_at_align(known: Endpoints, tokens: TokenSet) -> tuple[TokenSet, Endpoints]:
    """Discovery first, as Align asks; but it needs a token that may have expired overnight, so it never prevents a
    refresh: the last stored token address serves then, and after that the authorization server itself."""
    align = vendor.client()
    try:
        endpoints = align.discovery(access_token=tokens.access_token)
    except IteroError:
        endpoints = known
    try:
        return _rotate(endpoints, tokens), endpoints
    except ADDRESS_GONE:
        # The region's address is gone. A lost answer does not come here: it might have rotated the token.
        return _rotate(None, tokens), endpoints


def _rotate(endpoints: Endpoints | None, tokens: TokenSet) -> TokenSet:
    """A lost answer may have rotated the token already; a vendor that grants grace answers again if asked at once."""
    try:
        return vendor.client().refresh_token(endpoints, refresh_token=tokens.refresh_token)
    except RetryableError as error:
        answered = error.status is not None and error.status >= 400
        if answered or not vendor.profile().switches.refresh_grace:
            raise
        return vendor.client().refresh_token(endpoints, refresh_token=tokens.refresh_token)


def _rediscover(lab_id: UUID, pairing_id: UUID, access: Access) -> Access | None:
    """The account may have moved region: None when Discovery answers as before, or not at all."""
    try:
        endpoints = access.client.discovery(access_token=access.access_token)
    except HostNotAllowed as error:
        give_up(lab_id, pairing_id, error)
    except IteroError:
        return None
    if endpoints == access.endpoints:
        return None
    with in_lab(lab_id):
        pairing = lock(lab_id, pairing_id)
        pairing.set_endpoints(endpoints)
        pairing.save(update_fields=["endpoints", "region"])
    return Access(access.client, endpoints, access.access_token)
