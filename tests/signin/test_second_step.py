"""The second step: enrolment, log-in, a code taken once, recovery codes, and nothing in clear in the database."""

import time

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core import mail
from django.test import Client

from labportal.rotation import rotate_all
from labportal.signin import mfa
from tests.labportal.test_log_in import said
from tests.orders.pages import text_of
from tests.signin import phone
from tests.signin.conftest import is_in, log_in

STEP = "/accounts/2fa/authenticate/"


def second(client: Client, code: str) -> None:
    client.post(STEP, {"code": code})


def test_with_an_app_the_password_alone_does_not_open(cast, enrol):
    enrol(cast.theo)
    client = log_in(cast.theo)
    assert not is_in(client)
    assert client.get("/").status_code == 302


def test_a_phone_shows_digits_for_every_code(cast, enrol):
    digits = 'inputmode="numeric"'
    client, _ = enrol(cast.theo)
    assert digits in client.get("/accounts/2fa/reauthenticate/").content.decode()
    assert digits in log_in(cast.theo).get(STEP).content.decode()
    assert digits in log_in(cast.anna).get("/accounts/2fa/totp/activate/").content.decode()


def test_the_page_of_new_recovery_codes_says_once_that_they_are_shown_once(cast, enrol):
    client, _ = enrol(cast.theo)
    page = text_of(client.get("/accounts/2fa/recovery-codes/"))
    assert "They are shown this once." in page
    assert "A new set of recovery codes" not in page


def test_with_the_apps_code_it_does(cast, enrol):
    _, secret = enrol(cast.theo)
    client = log_in(cast.theo)
    second(client, phone.code(secret))
    assert is_in(client)
    assert client.get("/").status_code == 200


def test_the_session_key_changes_after_the_second_step(cast, enrol):
    _, secret = enrol(cast.theo)
    client = log_in(cast.theo)
    before = client.session.session_key
    second(client, phone.code(secret))
    assert client.session.session_key != before


@pytest.fixture
def no_memory_of_codes(monkeypatch):
    """As after 30 s, when allauth's cache has forgotten a code that our tolerance still takes."""
    monkeypatch.setattr("allauth.mfa.totp.internal.auth.TOTP._mark_code_used", lambda self, code: True)


def test_a_code_opens_once(cast, enrol, no_memory_of_codes):
    _, secret = enrol(cast.theo)
    code = phone.code(secret)
    first, again = log_in(cast.theo), log_in(cast.theo)
    second(first, code)
    second(again, code)
    assert is_in(first)
    assert not is_in(again)


def test_control_without_burning_the_same_code_opens_twice(cast, enrol, no_memory_of_codes, monkeypatch):
    monkeypatch.setattr(mfa, "burn", lambda authenticator, code: True)
    _, secret = enrol(cast.theo)
    first, again = log_in(cast.theo), log_in(cast.theo)
    second(first, phone.code(secret))
    second(again, phone.code(secret))
    assert is_in(again)


def test_an_older_code_is_worthless_once_a_newer_one_was_used(cast, enrol):
    _, secret = enrol(cast.theo)
    first, again = log_in(cast.theo), log_in(cast.theo)
    second(first, phone.code(secret, step=1))
    second(again, phone.code(secret))
    assert is_in(first)
    assert not is_in(again)


def test_the_code_that_proved_the_app_at_enrolment_does_not_open(cast, enrol):
    _, secret = enrol(cast.theo)
    client = log_in(cast.theo)
    second(client, phone.code(secret, step=-1))
    assert not is_in(client)


@pytest.mark.parametrize("step", [-3, 3])
def test_a_code_of_another_time_does_not_open(cast, enrol, step):
    _, secret = enrol(cast.theo)
    client = log_in(cast.theo)
    second(client, phone.code(secret, step=step))
    assert not is_in(client)


def test_a_wrong_code_is_said_in_words(cast, enrol):
    enrol(cast.theo)
    answer = log_in(cast.theo).post(STEP, {"code": "000000"})
    assert "This code is not correct, or it was used before." in text_of(answer)


def test_codes_are_guessed_five_times_and_then_not_even_the_right_one_opens(cast, enrol):
    _, secret = enrol(cast.theo)
    client = log_in(cast.theo)
    for guess in range(5):
        second(client, f"00000{guess}")
    answer = client.post(STEP, {"code": phone.code(secret)})
    assert "Too many failed login attempts" in text_of(answer)
    assert not is_in(client)


def codes_of(client: Client) -> list[str]:
    page = client.get("/accounts/2fa/recovery-codes/")
    return [line for line in text_of(page).split() if line.isdigit() and len(line) == 8]


def test_recovery_codes_are_shown_once(cast, enrol):
    client, _ = enrol(cast.theo)
    assert len(codes_of(client)) == 10
    assert codes_of(client) == []
    assert client.get("/accounts/2fa/recovery-codes/download/").status_code == 403


def test_a_recovery_code_opens_once(cast, enrol):
    client, _ = enrol(cast.theo)
    code = codes_of(client)[0]
    first, again = log_in(cast.theo), log_in(cast.theo)
    second(first, code)
    second(again, code)
    assert is_in(first)
    assert not is_in(again)


def test_seed_and_recovery_codes_are_sealed_at_rest(cast, enrol):
    client, secret = enrol(cast.theo)
    codes = codes_of(client)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in stored
    assert not any(code in stored for code in codes)
    totp = Authenticator.objects.get(type="totp")
    assert totp.data["secret"].partition(":")[0] in stored
    assert mfa.MFAAdapter().decrypt(totp.data["secret"]) == secret


def test_the_seed_leaves_the_session_when_the_app_is_set_up(cast, enrol):
    client, secret = enrol(cast.theo)
    assert secret not in str(dict(client.session))


def test_a_mail_tells_the_person_that_a_second_step_was_set_up(cast, enrol):
    enrol(cast.theo)
    assert [m.to for m in mail.outbox] == [["theo@example.com"]]
    assert "uthenticator" in mail.outbox[0].subject


def test_nobody_renames_or_removes_anothers_passkey(cast, client_of):
    key = Authenticator.objects.create(user=cast.anna, type="webauthn", data={"name": "Anna's", "credential": {}})
    bruno = client_of(cast.bruno)
    for act in ("edit", "remove"):
        path = f"/accounts/2fa/webauthn/keys/{key.pk}/{act}/"
        missing = f"/accounts/2fa/webauthn/keys/{key.pk + 1}/{act}/"
        assert said(bruno.post(path, {"name": "x"}), "") == said(bruno.post(missing, {"name": "x"}), "")
    assert Authenticator.objects.get().data["name"] == "Anna's"


def test_an_unknown_person_and_a_wrong_password_of_a_person_with_an_app_look_the_same(cast, enrol):
    enrol(cast.theo)
    client = Client()
    known = client.post("/accounts/login/", {"login": "theo@example.com", "password": "wrong"})
    unknown = Client().post("/accounts/login/", {"login": "nobody@example.com", "password": "wrong"})
    assert said(known, "theo@example.com") == said(unknown, "nobody@example.com")


def test_a_passkey_can_not_be_made_without_confirming_who_it_is(cast, client_of):
    client = client_of(cast.theo)
    session = client.session
    session["account_authentication_methods"][0]["at"] = time.time() - 601
    session.save()
    answer = client.get("/accounts/2fa/webauthn/add/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_sealed_seeds_move_to_the_newest_key(cast, enrol, settings):
    client, secret = enrol(cast.theo)
    code = codes_of(client)[0]
    settings.TOKEN_KEYS = [f"newest:{Fernet.generate_key().decode()}", *settings.TOKEN_KEYS]
    assert rotate_all().done == 2
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    first, again = log_in(cast.theo), log_in(cast.theo)
    second(first, phone.code(secret))
    second(again, code)
    assert is_in(first)
    assert is_in(again)


def test_the_operator_removes_what_a_person_has_lost(cast, enrol, client_of):
    enrol(cast.theo)
    form = {"action": "remove_second_steps", "_selected_action": [str(cast.theo.pk)]}
    client_of(cast.olga).post("/admin/labs/user/", form)
    assert not Authenticator.objects.exists()
    assert is_in(log_in(cast.theo))
    assert [m.to for m in mail.outbox][-1] == ["theo@example.com"]
