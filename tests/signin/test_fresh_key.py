"""Whoever confirmed who it is goes on under another session key; the one before opens nothing."""

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.test import Client

from tests.cast import PASSWORD
from tests.signin.conftest import is_in, log_in
from tests.signin.test_rules import age_the_confirmation


def copy_of(client: Client) -> Client:
    """Another browser with the same session key."""
    thief = Client()
    thief.cookies["sessionid"] = client.cookies["sessionid"].value
    return thief


def test_the_session_key_changes_when_it_is_confirmed_who_it_is(cast):
    anna = log_in(cast.anna)
    age_the_confirmation(anna)
    thief = copy_of(anna)
    assert is_in(thief)
    anna.post("/accounts/reauthenticate/?next=/connections/", {"password": PASSWORD})
    assert is_in(anna)
    assert not is_in(thief)
    assert "reauthenticate" not in anna.post("/connections/connect")["Location"]


def test_the_list_of_sessions_knows_the_new_key(cast):
    anna = log_in(cast.anna)
    anna.post("/accounts/reauthenticate/?next=/connections/", {"password": PASSWORD})
    keys = UserSession.objects.filter(user=cast.anna).values_list("session_key", flat=True)
    assert list(keys) == [anna.cookies["sessionid"].value]


def test_a_wrong_password_changes_nothing(cast):
    anna = log_in(cast.anna)
    key = anna.cookies["sessionid"].value
    anna.post("/accounts/reauthenticate/?next=/connections/", {"password": "wrong"})
    assert anna.cookies["sessionid"].value == key


OWN_LOG_IN = {
    "/accounts/email/": {"email": "thief@example.com", "action_add": ""},
    "/accounts/2fa/totp/activate/": {"code": "000000"},
    "/accounts/2fa/webauthn/add/": {"name": "thief's"},
    "/accounts/2fa/recovery-codes/generate/": {},
}


@pytest.mark.parametrize("address", OWN_LOG_IN)
def test_neither_address_nor_second_step_changes_without_a_confirmation(cast, address):
    anna = log_in(cast.anna)
    age_the_confirmation(anna)
    answer = anna.post(address, OWN_LOG_IN[address])
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not EmailAddress.objects.filter(email="thief@example.com").exists()
