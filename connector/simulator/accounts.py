"""Regional Discovery, Get Accounts, Pair and Un Pair."""

import re
import secrets

from connector.simulator import oauth
from connector.simulator.cloud import Cloud
from connector.simulator.messages import Refusal, Request, Response, json_response
from connector.simulator.records import Account
from connector.simulator.spelling import read_account_id, read_text, render

IDENTITY = "/identity"  # below it lies the authorization server, in every region too
CONNECTOR = "/connector"  # below it lies Discovery


def discovery(cloud: Cloud, request: Request) -> Response:
    """Where this account's calls go."""
    family = oauth.bearer(cloud, request)
    region = oauth.region_of(cloud, family)
    facts: dict[str, object] = {"region": region}
    for name, call in cloud.dialect.calls.items():
        prefix = IDENTITY if name in ("token", "revoke") else ""
        facts[f"url.{name}"] = f"{request.base}/{region}{prefix}{call.path}"
    return json_response(render(cloud.call("discovery").answer, facts))


def accounts(cloud: Cloud, request: Request) -> Response:
    """Get Accounts for pairing: those of the person who logged in."""
    family = oauth.in_region(cloud, request)
    numbers = cloud.world.users[family.username].accounts
    rows = [render(cloud.dialect.account, vars(cloud.world.accounts[number])) for number in numbers]
    return json_response(render(cloud.call("accounts").answer, {"accounts": rows}))


def pair(cloud: Cloud, request: Request) -> Response:
    """Pair: a new set of tokens, bound to the account."""
    family = oauth.in_region(cloud, request)
    call = cloud.call("pair")
    account = _own_account(cloud, family.username, read_account_id(call, request))
    callback = read_text(call, request, "callback")
    if callback and not re.fullmatch(r"https?://\S+", callback):
        raise Refusal(400, "bad_request", "The notification address must be an http or https address.")
    with cloud.world.change():
        account.pairing = account.pairing or secrets.token_hex(8)
        account.callback = callback or None
        bound = oauth.new_family(cloud, family.login, family.username, account)
        tokens = oauth.issue(cloud, bound)
    return json_response(_joined(tokens, render(call.answer, {"account_id": account.account_id})))


def _joined(tokens: dict[str, object], more: dict[str, object]) -> dict[str, object]:
    """The account number stands beside the tokens, also where these lie one level down."""
    inner = tokens.get("Data")
    return {"Data": inner | more} if isinstance(inner, dict) else tokens | more


def unpair(cloud: Cloud, request: Request) -> Response:
    """Un Pair: every authorization that was bound to this pairing gets 403 from now on."""
    family = oauth.in_region(cloud, request)
    call = cloud.call("unpair")
    account = _own_account(cloud, family.username, read_account_id(call, request))
    if family.account_id not in (None, account.account_id) or account.pairing is None:
        raise Refusal(403, "not_paired", "This authorization is not paired with that account.")
    with cloud.world.change():
        account.pairing = account.callback = None
    if call.status == 204:
        return Response(204)
    return json_response(render(call.answer, {"account_id": account.account_id}))


def _own_account(cloud: Cloud, username: str, account_id: int) -> Account:
    if account_id not in cloud.world.users[username].accounts:
        raise Refusal(403, "not_your_account", "This account is not one of yours.")
    return cloud.world.accounts[account_id]
