"""Connect to Align: log in there, choose an account, paired. The steps are in the order Align's overview gives."""

import hashlib
import secrets
import uuid
from datetime import timedelta
from typing import TypedDict

from django.conf import settings
from django.db import IntegrityError, connection
from django.utils import timezone

from connector.itero import Endpoints, TokenSet, new_code_verifier
from connector.itero.errors import AccessDenied, IteroError
from connector.pairing import vendor
from connector.pairing.models import ConnectAttempt, FetchMode, Pairing, State
from connector.pairing.sealing import seal, unseal
from labportal.doorbell import ring_tick
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab

ATTEMPT_LIFE = timedelta(minutes=15)


class ConnectRefused(Exception):
    """Connecting stopped; `code` names the reason (words.py says it to people)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class OfferedAccount(TypedDict):
    """One account of Get Accounts, as kept with the attempt."""

    account_id: str
    name: str
    kind: str
    address: str


def begin(*, lab: Lab, user: User, reconnect: Pairing | None = None) -> str:
    """Step 1, Authorization: the address of Align's log-in page, with a `state` that only this person can use once."""
    if not vendor.is_configured():
        raise ConnectRefused("not_configured")
    state, verifier, attempt_id = secrets.token_urlsafe(32), new_code_verifier(), uuid.uuid4()
    ConnectAttempt.objects.create(
        id=attempt_id,
        lab=lab,
        user=user,
        state_hash=_hash(state),
        sealed_verifier=seal({"verifier": verifier}, lab_id=lab.pk, owner_id=attempt_id),
        reconnect=reconnect,
    )
    return vendor.client().authorization_url(state=state, code_verifier=verifier)


def receive(*, lab: Lab, user: User, state: str, code: str, error: str) -> ConnectAttempt:
    """Steps 2 to 4, on the way back from Align: Get Token, Discovery, Get Accounts. Errors: ConnectRefused."""
    attempt = _use_up(lab, user, state)
    if error or not code:
        raise ConnectRefused(AccessDenied.code if error == "access_denied" or not error else "login_failed")
    verifier = unseal(attempt.sealed_verifier, lab_id=lab.pk, owner_id=attempt.pk)["verifier"]
    align = vendor.client()
    try:
        tokens = align.get_token(code=code, code_verifier=verifier)
        endpoints = align.discovery(access_token=tokens.access_token)
        accounts = align.get_accounts(endpoints, access_token=tokens.access_token)
    except IteroError as problem:
        raise ConnectRefused(problem.code) from problem
    if not accounts:
        raise ConnectRefused("no_accounts")
    attempt.endpoints = endpoints.to_json()
    attempt.accounts = [
        OfferedAccount(account_id=a.account_id, name=a.name, kind=a.kind, address=a.address) for a in accounts
    ]
    first = {"access": tokens.access_token, "refresh": tokens.refresh_token}
    attempt.sealed_tokens = seal(first, lab_id=lab.pk, owner_id=attempt.pk)
    with in_lab(lab.pk):
        attempt.save()
    return attempt


def _use_up(lab: Lab, user: User, state: str) -> ConnectAttempt:
    """`state` counts once, for the person and the lab that asked for it, for a quarter of an hour."""
    now = timezone.now()
    with in_lab(lab.pk):
        mine = ConnectAttempt.objects.of(lab).filter(state_hash=_hash(state), user=user)
        if not mine.filter(used_at=None, created_at__gt=now - ATTEMPT_LIFE).update(used_at=now):
            raise ConnectRefused("state")
        return mine.select_related("reconnect").get()


def account_link(account_id: str) -> tuple[uuid.UUID, uuid.UUID, str] | None:
    """(lab, pairing, state) that holds this Align account now, in any lab of the installation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id, state FROM resolve.account_link(%s)", [account_id])
        row: tuple[uuid.UUID, uuid.UUID, str] | None = cursor.fetchone()
    return row


def finish(*, lab: Lab, user: User, attempt: ConnectAttempt, account_id: str, fetch_mode: str) -> Pairing:
    """Step 5, Pair: Align answers with a NEW token set, which is the one we keep. Errors: ConnectRefused."""
    account = next((a for a in attempt.accounts if a["account_id"] == account_id), None)
    if account is None or attempt.finished_at is not None or not attempt.sealed_tokens:
        raise ConnectRefused("state")
    pairing, secret, before = _reserve(lab, account, fetch_mode)
    first = unseal(attempt.sealed_tokens, lab_id=lab.pk, owner_id=attempt.pk)
    endpoints = Endpoints.from_json(attempt.endpoints)
    align = vendor.client()
    try:
        tokens = align.pair(
            endpoints, access_token=first["access"], account_id=account_id, callback_url=callback_url(secret)
        )
    except IteroError as problem:
        _release(pairing, before)
        raise ConnectRefused(problem.code) from problem
    _store(pairing, tokens, endpoints, secret, user, attempt)
    if vendor.profile().switches.revoke_first_set:
        _revoke_quietly(endpoints, first["refresh"])
    return pairing


def _reserve(lab: Lab, account: OfferedAccount, fetch_mode: str) -> tuple[Pairing, str, str]:
    """Take the account for this lab before asking Align: one active pairing per account in the whole installation."""
    with in_lab(lab.pk):
        link = account_link(account["account_id"])
        if link is not None and link[0] != lab.pk:
            raise ConnectRefused("taken")
        if link is not None and link[2] == State.UNPAIRING:
            raise ConnectRefused("disconnecting")
        pairing, made = Pairing.objects.of(lab).get_or_create(
            lab=lab, account_id=account["account_id"], defaults={"state": State.UNPAIRED}
        )
        before = State.UNPAIRED if made else pairing.state
        pairing.account_name = account["name"]
        pairing.fetch_mode = fetch_mode if fetch_mode in FetchMode.values else FetchMode.FULL
        pairing.next_due = timezone.now() + ATTEMPT_LIFE
        if before == State.UNPAIRED:
            pairing.state = State.CONNECTING
        try:
            pairing.save()
        except IntegrityError as race:
            raise ConnectRefused("taken") from race
    # The address that Align already knows stays as it is; only a fresh pairing gets a new one.
    return pairing, pairing.callback_secret or secrets.token_urlsafe(32), before


def _release(pairing: Pairing, before: str) -> None:
    with in_lab(pairing.lab_id):
        Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk).update(state=before)


def release_stale(lab_id: uuid.UUID, pairing_id: uuid.UUID) -> None:
    """A crash between the reservation and Pair's answer: the account is free again after a quarter of an hour."""
    with in_lab(lab_id):
        stale = Pairing.objects.of(lab_id).filter(pk=pairing_id, state=State.CONNECTING, next_due__lte=timezone.now())
        stale.update(state=State.UNPAIRED, next_due=None)


def _store(
    pairing: Pairing, tokens: TokenSet, endpoints: Endpoints, secret: str, user: User, attempt: ConnectAttempt
) -> None:
    now = timezone.now()
    pairing.set_tokens(tokens, now + timedelta(seconds=tokens.expires_in))
    pairing.set_callback_secret(secret)
    pairing.endpoints, pairing.region = endpoints.to_json(), endpoints.region
    pairing.state, pairing.reason, pairing.reason_at, pairing.failures = State.ACTIVE, "", None, 0
    pairing.paired_at, pairing.paired_by, pairing.refreshed_at = now, user, now
    pairing.paused_until, pairing.next_due = None, now
    with in_lab(pairing.lab_id):
        pairing.save()
        attempt.finished_at, attempt.sealed_tokens = now, ""
        attempt.save(update_fields=["finished_at", "sealed_tokens"])
        ring_tick()


def _revoke_quietly(endpoints: Endpoints, refresh_token: str) -> None:
    try:
        vendor.client().revoke_token(endpoints, token=refresh_token)
    except IteroError:
        pass  # the first set expires by itself within the hour


def callback_url(secret: str) -> str:
    """Where Align sends a pairing's scan notifications."""
    return f"{settings.BASE_URL}/notify/{secret}"


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
