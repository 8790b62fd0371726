"""Consent, tokens and pairing, as the assumed profile spells them."""

from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import sha256
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from connector import itero
from connector.itero import Client, Endpoints, Profile
from tests.itero.conftest import REDIRECT, MakeClient
from tests.itero.scripted_server import Script, reply

SET = {"access_token": "a1", "refresh_token": "r1", "token_type": "Bearer", "expires_in": 3600}


def test_the_consent_address_carries_state_and_the_challenge_of_the_verifier(client: Client) -> None:
    verifier = itero.new_code_verifier()
    query = parse_qs(urlsplit(client.authorization_url(state="st", code_verifier=verifier)).query)
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert query["state"] == ["st"]
    assert query["code_challenge"] == [challenge]
    assert query["redirect_uri"] == [REDIRECT]
    assert "client_secret" not in query


def test_the_consent_address_without_pkce_carries_no_challenge(make_client: MakeClient, profile: Profile) -> None:
    client = make_client(replace(profile, oauth=replace(profile.oauth, pkce=False)))
    assert "code_challenge" not in client.authorization_url(state="st", code_verifier="")


@pytest.mark.parametrize(("state", "verifier"), [("", "v"), ("st", "")])
def test_a_consent_address_without_state_or_verifier_is_refused(client: Client, state: str, verifier: str) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        client.authorization_url(state=state, code_verifier=verifier)


def test_two_verifiers_differ_and_are_long_enough_for_the_standard() -> None:
    one, other = itero.new_code_verifier(), itero.new_code_verifier()
    assert one != other
    assert 43 <= len(one) <= 128


def test_a_code_is_read_from_the_redirect(profile: Profile) -> None:
    assert itero.read_redirect({"code": "c", "state": "st"}, profile, state="st") == "c"


def test_a_redirect_after_a_no_is_access_denied(profile: Profile) -> None:
    with pytest.raises(itero.AccessDenied):
        itero.read_redirect({"error": "access_denied", "state": "st"}, profile, state="st")


@pytest.mark.parametrize(
    "query", [{"code": "c", "state": "other"}, {"code": "c"}, {"state": "st"}, {"code": "c", "state": "ß"}]
)
def test_a_redirect_without_our_state_or_a_code_is_refused(profile: Profile, query: dict[str, str]) -> None:
    with pytest.raises(itero.BadRequest):
        itero.read_redirect(query, profile, state="st")


def test_getting_a_token_sends_the_secret_in_the_form(client: Client, server: Script) -> None:
    server.will(reply(200, SET))
    assert client.get_token(code="c", code_verifier="v") == itero.TokenSet("a1", "r1", 3600)
    form = dict(parse_qsl(server.asked[0].body.decode()))
    assert form["client_secret"] == "s&cret word"
    assert "authorization" not in server.asked[0].headers


def test_with_basic_the_secret_is_in_the_header_alone(
    make_client: MakeClient, profile: Profile, server: Script
) -> None:
    server.will(reply(200, SET))
    client = make_client(replace(profile, oauth=replace(profile.oauth, client_auth="basic")))
    client.get_token(code="c", code_verifier="v")
    assert server.asked[0].headers["authorization"] == "Basic bGFiLXBvcnRhbDpzJTI2Y3JldCt3b3Jk"
    assert b"client_secret" not in server.asked[0].body


def test_a_refresh_goes_to_the_address_from_discovery(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200, SET))
    client.refresh_token(endpoints, refresh_token="r0")
    assert server.asked[0].line.startswith("POST /token ")


def test_a_refresh_without_discovery_goes_to_the_oauth_base(client: Client, server: Script) -> None:
    server.will(reply(200, SET))
    client.refresh_token(None, refresh_token="r0")
    assert server.asked[0].line.startswith("POST /oauth/token ")


def test_a_refresh_that_brings_no_new_refresh_token_keeps_the_old_one(client: Client, server: Script) -> None:
    server.will(reply(200, {"access_token": "a2"}))
    assert client.refresh_token(None, refresh_token="r0") == itero.TokenSet("a2", "r0", 3600)


@pytest.mark.parametrize("status", [400, 401])
def test_a_used_refresh_token_is_an_invalid_grant(client: Client, server: Script, status: int) -> None:
    server.will(reply(status, {"error": "invalid_grant", "error_description": "ZZCANARY"}))
    with pytest.raises(itero.InvalidGrant):
        client.refresh_token(None, refresh_token="r0")


@pytest.mark.parametrize(
    "answer", [reply(401, {"error": "invalid_client"}), reply(401), reply(400, {"error": "invalid_client"})]
)
def test_a_wrong_client_secret_is_not_mistaken_for_a_dead_pairing(
    client: Client, server: Script, answer: object
) -> None:
    server.will(answer)  # type: ignore[arg-type]  # a Reply
    with pytest.raises(itero.InvalidClient):
        client.refresh_token(None, refresh_token="r0")


def test_an_overloaded_server_that_says_invalid_grant_does_not_end_the_pairing(client: Client, server: Script) -> None:
    server.will(reply(503, {"error": "invalid_grant"}))
    with pytest.raises(itero.VendorUnavailable):
        client.refresh_token(None, refresh_token="r0")


@pytest.mark.parametrize(
    ("answer", "missing"),
    [
        ({"refresh_token": "r"}, "access_token"),
        ({"access_token": "a"}, "refresh_token"),
        ({"access_token": "a\nb"}, "access_token"),
    ],
)
def test_a_token_answer_without_a_usable_token_names_what_is_missing(
    client: Client, server: Script, answer: dict[str, str], missing: str
) -> None:
    server.will(reply(200, answer))
    with pytest.raises(itero.BadAnswer, match=missing):
        client.get_token(code="c", code_verifier="v")


def test_pairing_sends_the_account_and_the_callback_and_brings_a_new_set(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    server.will(reply(200, {**SET, "accountId": 479}))
    got = client.pair(endpoints, access_token="a0", account_id="479", callback_url="https://lab.example/n")
    assert got.access_token == "a1"
    assert server.asked[0].body == b'{"accountId": 479, "callbackUrl": "https://lab.example/n"}'


def test_pairing_without_a_callback_does_not_send_an_empty_one(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    server.will(reply(200, SET))
    client.pair(endpoints, access_token="a0", account_id="479")
    assert server.asked[0].body == b'{"accountId": 479}'


def test_secrets_do_not_show_in_representations(client: Client) -> None:
    shown = repr(itero.TokenSet("ZZa", "ZZr", 1)) + repr(itero.Credentials("id", "ZZs"))
    assert "ZZ" not in shown


@pytest.mark.parametrize("uri", ["https://lab.example/cb#x", "ftp://lab.example/"])
def test_a_redirect_address_that_align_would_not_register_is_refused(make_client: MakeClient, uri: str) -> None:
    with pytest.raises(ValueError, match="redirect_uri"):
        make_client(redirect_uri=uri)


def test_discovery_names_the_addresses_that_are_missing(client: Client, server: Script) -> None:
    server.will(reply(200, {"endpoints": {"accounts": f"{server.url}/a", "pair": None}}))
    with pytest.raises(itero.BadAnswer, match="pair, unpair, orders"):
        client.discovery(access_token="a")


def test_with_a_fixed_base_url_discovery_asks_nobody(make_client: MakeClient, profile: Profile, server: Script) -> None:
    switches = replace(profile.switches, fixed_base_url=server.url)
    found = make_client(replace(profile, switches=switches)).discovery(access_token="a")
    assert found.url("orders") == f"{server.url}/api/v2/orders"
    assert server.asked == []


def test_endpoints_survive_their_storage(endpoints: Endpoints) -> None:
    assert Endpoints.from_json(endpoints.to_json()) == endpoints
