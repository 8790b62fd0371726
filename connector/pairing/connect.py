"""Connect to Align: log in there, choose an account, paired. The steps are in the order Align's overview gives."""

import hashlib
import secrets
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import TypedDict

from django.utils import timezone

from connector.itero import Account, Endpoints, TokenSet, new_code_verifier
from connector.itero.errors import AccessDenied, IteroError
from connector.pairing import vendor
from connector.pairing.callbacks import callback_url, note_taken
from connector.pairing.models import ACCOUNT_ID_MAX, ACCOUNT_NAME_MAX, ConnectAttempt, FetchMode, Pairing, State
from connector.pairing.reservation import ConnectRefused, account_link, release, reserve
from connector.pairing.trouble import lock
from labportal.audit.services import record
from labportal.doorbell import ring_tick
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab
from labportal.sealing import seal, unseal

__all__ = ["ConnectRefused", "account_link", "begin", "finish", "receive"]

ATTEMPT_LIFE = timedelta(minutes=15)
CHOICE_LIFE = 2 * ATTEMPT_LIFE  # from the beginning: so long at Align, and as long again to choose an account


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
    # Who walked away left a token set behind; it goes with the attempt.
    ConnectAttempt.objects.of(lab).filter(created_at__lt=timezone.now() - CHOICE_LIFE).delete()
    state, verifier, attempt_id = secrets.token_urlsafe(32), new_code_verifier(), uuid.uuid4()
    ConnectAttempt.objects.create(
        id=attempt_id,
        lab=lab,
        user=user,
        state_hash=_hash(state),
        sealed_verifier=seal({"verifier": verifier}, lab_id=lab.pk, owner_id=attempt_id),
        reconnect=reconnect,
    )
    record("pairing.sign_in_begun", lab_id=lab.pk, target=reconnect)
    return vendor.client().authorization_url(state=state, code_verifier=verifier)


def receive(*, lab: Lab, user: User, state: str, code: str, error: str) -> ConnectAttempt:
    """Steps 2 to 4, on the way back from Align: Get Token, Discovery, Get Accounts. Errors: ConnectRefused."""
    attempt = _use_up(lab, user, state)
    if error in vendor.profile().errors.access_denied:
        raise ConnectRefused(AccessDenied.code)
    if error or not code:
        raise ConnectRefused("login_failed")
    held = unseal(attempt.sealed_verifier, lab_id=lab.pk, owner_id=attempt.pk, names=("verifier",))
    verifier = held["verifier"]
    align = vendor.client()
    try:
        tokens = align.get_token(code=code, code_verifier=verifier)
        endpoints = align.discovery(access_token=tokens.access_token)
        accounts = align.get_accounts(endpoints, access_token=tokens.access_token)
    except IteroError as problem:
        raise ConnectRefused(problem.code) from problem
    attempt.endpoints, attempt.accounts = endpoints.to_json(), _offered(accounts)
    if not attempt.accounts:
        raise ConnectRefused("no_accounts")
    first = {"access": tokens.access_token, "refresh": tokens.refresh_token}
    attempt.sealed_tokens = seal(first, lab_id=lab.pk, owner_id=attempt.pk)
    with in_lab(lab.pk):
        attempt.save()
    return attempt


def _offered(accounts: tuple[Account, ...]) -> list[OfferedAccount]:
    """A name too long for our tables is cut; an id too long is none, since a cut one would be another account."""
    return [
        OfferedAccount(account_id=a.account_id, name=a.name[:ACCOUNT_NAME_MAX], kind=a.kind, address=a.address)
        for a in accounts
        if len(a.account_id) <= ACCOUNT_ID_MAX
    ]


def _use_up(lab: Lab, user: User, state: str) -> ConnectAttempt:
    """`state` counts once, for the person and the lab that asked for it, for a quarter of an hour."""
    now = timezone.now()
    with in_lab(lab.pk):
        mine = ConnectAttempt.objects.of(lab).filter(state_hash=_hash(state), user=user)
        if not mine.filter(used_at=None, created_at__gt=now - ATTEMPT_LIFE).update(used_at=now):
            raise ConnectRefused("state")
        return mine.select_related("reconnect").get()


def finish(*, lab: Lab, attempt: ConnectAttempt, account_id: str, fetch_mode: str) -> Pairing:
    """Step 5, Pair: Align answers with a NEW token set, which is the one we keep. Errors: ConnectRefused."""
    account = next((a for a in attempt.accounts if a["account_id"] == account_id), None)
    if account is None or not attempt.sealed_tokens or attempt.created_at < timezone.now() - CHOICE_LIFE:
        raise ConnectRefused("state")
    first = unseal(attempt.sealed_tokens, lab_id=lab.pk, owner_id=attempt.pk)
    endpoints = Endpoints.from_json(attempt.endpoints)
    pairing, secret = reserve(lab, account_id, account["name"])
    try:
        tokens = vendor.client().pair(
            endpoints, access_token=first["access"], account_id=account_id, callback_url=callback_url(secret)
        )
    except IteroError as problem:
        release(pairing)
        raise ConnectRefused(problem.code) from problem
    pairing = _store(pairing, tokens, endpoints, attempt, fetch_mode)
    if vendor.profile().switches.revoke_first_set:
        _revoke_quietly(endpoints, first["refresh"])
    return pairing


def _store(
    reserved: Pairing, tokens: TokenSet, endpoints: Endpoints, attempt: ConnectAttempt, fetch_mode: str
) -> Pairing:
    """The row is read anew: a worker may have written to it while Align answered."""
    now = timezone.now()
    with in_lab(reserved.lab_id):
        pairing = lock(reserved.lab_id, reserved.pk)
        pairing.set_tokens(tokens, now + timedelta(seconds=tokens.expires_in))
        note_taken(pairing, reserved)
        pairing.set_endpoints(endpoints)
        pairing.account_name = next(a["name"] for a in attempt.accounts if a["account_id"] == pairing.account_id)
        pairing.fetch_mode = fetch_mode if fetch_mode in FetchMode.values else FetchMode.FULL
        pairing.state, pairing.reason, pairing.reason_at, pairing.failures = State.ACTIVE, "", None, 0
        # Meanwhile scans may have come and gone at Align: intake's resolver of due reconciliations asks for this.
        pairing.reconnected_at = now if pairing.paired_at else None
        pairing.paired_at, pairing.paired_by_id, pairing.refreshed_at = now, attempt.user_id, now
        pairing.paused_until, pairing.next_due = None, now
        pairing.save()
        attempt.finished_at, attempt.sealed_tokens = now, ""
        attempt.save(update_fields=["finished_at", "sealed_tokens"])
        again = attempt.reconnect_id is not None
        record("pairing.connected", lab_id=reserved.lab_id, target=pairing, account=pairing.account_id, again=again)
        ring_tick()
    return pairing


def _revoke_quietly(endpoints: Endpoints, refresh_token: str) -> None:
    with suppress(IteroError):  # the first set expires by itself within the hour
        vendor.client().revoke_token(endpoints, token=refresh_token)


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()
