"""Codes, token sets and their families: rotation, reuse detection, expiry, revocation."""

import base64
import binascii
import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import unquote_plus

from connector.simulator.cloud import Cloud
from connector.simulator.messages import Refusal, Request, Response, json_response
from connector.simulator.records import Account, Code, Family, Token
from connector.simulator.spelling import render

CODE_LIFETIME = 60.0


def new_code(cloud: Cloud, username: str, redirect_uri: str, challenge: str | None) -> str:
    """A fresh authorization code after the user's consent."""
    value = secrets.token_urlsafe(24)
    expires = cloud.clock.now() + CODE_LIFETIME
    login = secrets.token_hex(8)
    code = Code(value, cloud.options.client_id, redirect_uri, challenge, username, login, expires)
    with cloud.world.change():
        cloud.world.codes[value] = code
    return value


def token(cloud: Cloud, request: Request) -> Response:
    """Get Token and Refresh Token: one address, told apart by grant_type."""
    form = request.form()
    _authenticate_client(cloud, request, form)
    kind = form.get("grant_type", "")
    if kind not in ("authorization_code", "refresh_token"):
        raise Refusal(400, "unsupported_grant_type", f"grant_type {kind!r} is not known.", oauth=True)
    with cloud.world.change():
        family = _exchange(cloud, form) if kind == "authorization_code" else _rotate(cloud, request, form)
        return json_response(issue(cloud, family))


def issue(cloud: Cloud, family: Family) -> Any:
    """A new token set of a family, spelled for the wire; call it inside a change."""
    now = cloud.clock.now()
    lifetime = cloud.switches.token_lifetime
    access = Token(secrets.token_urlsafe(32), family.family_id, "access", now + lifetime)
    refresh = Token(secrets.token_urlsafe(32), family.family_id, "refresh")
    for made in (access, refresh):
        cloud.world.tokens[made.value] = made
    cloud.world.counts["issued"] += 1
    facts = {"access": access.value, "refresh": refresh.value, "expires_in": int(lifetime)}
    return render(cloud.dialect.token_set, facts)


def new_family(cloud: Cloud, login: str, username: str, account: Account | None = None) -> Family:
    """Opens a family; with an account it is bound to that account's live pairing. Call it inside a change."""
    family = Family(secrets.token_hex(8), login, username)
    if account is not None:
        family.account_id, family.pairing = account.account_id, account.pairing
    cloud.world.families[family.family_id] = family
    return family


def _exchange(cloud: Cloud, form: dict[str, str]) -> Family:
    code = cloud.world.codes.get(form.get("code", ""))
    if code is None:
        raise _invalid_grant("The authorization code is not known.")
    if code.family is not None:
        _end(cloud, cloud.world.families[code.family], "code reuse")
        raise _invalid_grant("The authorization code was already used.")
    if code.expires <= cloud.clock.now():
        raise _invalid_grant("The authorization code has expired.")
    if form.get("redirect_uri") != code.redirect_uri:
        raise _invalid_grant("The redirect_uri is not the one of the authorization request.")
    if code.challenge is not None and not _verifies(form.get("code_verifier", ""), code.challenge):
        raise _invalid_grant("The code_verifier does not match the code_challenge.")
    family = new_family(cloud, code.login, code.username)
    code.family = family.family_id
    return family


def _verifies(verifier: str, challenge: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), challenge)


def _rotate(cloud: Cloud, request: Request, form: dict[str, str]) -> Family:
    refresh = cloud.world.tokens.get(form.get("refresh_token", ""))
    if refresh is None or refresh.kind != "refresh" or refresh.revoked:
        raise _invalid_grant("The refresh token is not known.")
    family = cloud.world.families[refresh.family]
    if request.region is not None and request.region != region_of(cloud, family):
        raise Refusal(404, "not_found", "This account is served by another region.")
    if family.ended:
        raise _invalid_grant(f"The authorization has ended ({family.ended}).")
    now = cloud.clock.now()
    if refresh.used is not None and now - refresh.used >= cloud.switches.refresh_grace:
        cloud.world.counts["reuse"] += 1
        _end(cloud, family, "refresh token reuse")
        raise _invalid_grant("The refresh token was already used; the authorization has ended.")
    refresh.used = now if refresh.used is None else refresh.used
    cloud.world.counts["refreshed"] += 1
    return family


def _end(cloud: Cloud, family: Family, why: str) -> None:
    if not family.ended:
        family.ended = why
        cloud.world.counts["families_ended"] += 1


def revoke(cloud: Cloud, request: Request) -> Response:
    """Revoke Token: one token, or the whole log-in, by switch; an unknown token is no error."""
    form = request.form()
    _authenticate_client(cloud, request, form)
    with cloud.world.change():
        given = cloud.world.tokens.get(form.get("token", ""))
        if given is not None:
            cloud.world.counts["revoked"] += 1
            _revoke_one(cloud, given)
    return Response(200, b"", {"Content-Type": "text/plain"})


def _revoke_one(cloud: Cloud, given: Token) -> None:
    given.revoked = True
    family = cloud.world.families[given.family]
    if cloud.switches.revoke == "grant":
        for sibling in cloud.world.families.values():
            if sibling.login == family.login:
                _end(cloud, sibling, "revoked")
    elif given.kind == "refresh":
        _end(cloud, family, "revoked")  # an access token must not outlive the refresh token that it came with


def bearer(cloud: Cloud, request: Request) -> Family:
    """The family behind the request's access token; 401 when missing, unknown, expired or revoked."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not value:
        raise _invalid_token("A Bearer token is needed.")
    access = cloud.world.tokens.get(value.strip())
    if access is None or access.kind != "access" or access.revoked:
        raise _invalid_token("The access token is not known.")
    if access.expires is None or access.expires <= cloud.clock.now():
        raise _invalid_token("The access token has expired.")
    family = cloud.world.families[access.family]
    if family.ended:
        raise _invalid_token("The authorization has ended.")
    return family


def in_region(cloud: Cloud, request: Request) -> Family:
    """As `bearer`, and 404 when the call came to another region than the account's."""
    family = bearer(cloud, request)
    if request.region != region_of(cloud, family):
        raise Refusal(404, "not_found", "This account is served by another region.")
    return family


def paired(cloud: Cloud, request: Request) -> Account:
    """The account that the token is bound to; 403 when there is none or its pairing has ended."""
    family = in_region(cloud, request)
    account = cloud.world.accounts.get(family.account_id or 0)
    if account is None or account.pairing is None or account.pairing != family.pairing:
        raise Refusal(403, "not_paired", "This authorization is not paired with an account.")
    return account


def region_of(cloud: Cloud, family: Family) -> str:
    """The account's region; before pairing, that of the user's first account."""
    accounts = (family.account_id,) if family.account_id else cloud.world.users[family.username].accounts
    return cloud.world.accounts[accounts[0]].region if accounts else "us"


def _authenticate_client(cloud: Cloud, request: Request, form: dict[str, str]) -> None:
    if cloud.dialect.client_auth == "basic":
        if "client_secret" in form:
            raise Refusal(400, "invalid_request", "The client secret does not belong in the form.", oauth=True)
        given = basic_credentials(request)
    else:
        given = (form.get("client_id", ""), form.get("client_secret", ""))
    if given != (cloud.options.client_id, cloud.options.client_secret):
        headers = {"WWW-Authenticate": 'Basic realm="simulator"'} if cloud.dialect.client_auth == "basic" else {}
        raise Refusal(401, "invalid_client", "The client is not known.", oauth=True, headers=headers)


def basic_credentials(request: Request) -> tuple[str, str]:
    """User and password of HTTP Basic, both empty when absent; OAuth encodes them as form values."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(user), unquote_plus(password)


def _invalid_grant(text: str) -> Refusal:
    return Refusal(400, "invalid_grant", text, oauth=True)


def _invalid_token(text: str) -> Refusal:
    return Refusal(401, "invalid_token", text, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
