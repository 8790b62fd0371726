"""A passkey alone opens only after its device asked for PIN, finger or face; as a second step a touch is enough."""

import pytest
from django.test import Client

from tests.signin.conftest import is_in, log_in
from tests.signin.security_key import SecurityKey
from tests.signin.test_rules import age_the_confirmation

ALONE, STEP = "/accounts/2fa/webauthn/login/", "/accounts/2fa/authenticate/"
AGAIN = "/accounts/2fa/webauthn/reauthenticate/"
XHR = {"X-Requested-With": "XMLHttpRequest"}
asks_or_not = pytest.mark.parametrize("asked", [True, False], ids=["asked", "touched"])


def challenge_of(client: Client, page: str) -> str:
    client.get(page, headers=XHR)
    return str(client.session["mfa.webauthn.state"]["challenge"])


@asks_or_not
def test_a_passkey_alone_opens_when_its_device_asked_who_it_is(cast, asked):
    key, client = SecurityKey(cast.theo), Client()
    client.post(ALONE, {"credential": key.answer(challenge_of(client, ALONE), asked=asked)})
    assert is_in(client) is asked


@asks_or_not
@pytest.mark.parametrize(("how", "drop"), [("POST", "/accounts/logout/"), ("GET", "/accounts/signup/")])
def test_the_challenge_of_a_second_step_opens_nobodys_log_in(cast, enrol, how, drop, asked):
    """Bruno has Theo's key, not its PIN: he begins with a password of his own and lets that log-in go."""
    key = SecurityKey(cast.theo)
    enrol(cast.bruno)
    client = log_in(cast.bruno)
    challenge = challenge_of(client, STEP)
    client.request(REQUEST_METHOD=how, PATH_INFO=drop)
    client.post(ALONE, {"credential": key.answer(challenge, asked=asked)})
    assert not is_in(client)


def test_an_answer_without_a_challenge_opens_nothing(cast):
    key, client = SecurityKey(cast.theo), Client()
    client.post(ALONE, {"credential": key.answer("AAAA", asked=True)})
    assert not is_in(client)


def test_after_the_password_a_touch_is_enough(cast):
    key = SecurityKey(cast.theo)
    client = log_in(cast.theo)
    assert not is_in(client)
    client.post(STEP, {"credential": key.answer(challenge_of(client, STEP), asked=False)})
    assert is_in(client)


def test_a_touch_confirms_who_is_signed_in_as_a_code_does(cast):
    key, client = SecurityKey(cast.anna), Client()
    client.post(ALONE, {"credential": key.answer(challenge_of(client, ALONE), asked=True)})
    age_the_confirmation(client)
    assert "reauthenticate" in client.post("/connections/connect")["Location"]
    client.post(AGAIN, {"credential": key.answer(challenge_of(client, AGAIN), asked=False)})
    assert "reauthenticate" not in client.post("/connections/connect")["Location"]


def test_nobody_confirms_with_anothers_key(cast):
    key, client = SecurityKey(cast.theo), log_in(cast.anna)
    SecurityKey(cast.anna)
    age_the_confirmation(client)
    client.post(AGAIN, {"credential": key.answer(challenge_of(client, AGAIN), asked=True)})
    assert "reauthenticate" in client.post("/connections/connect")["Location"]
