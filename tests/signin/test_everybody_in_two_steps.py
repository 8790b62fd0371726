"""Where the portal itself asks everybody for a second step (PEOPLE_NEED_MFA: on at https)."""

import pytest
from django.core import mail

from labportal.labs.second_step import demanded_of
from tests.labportal.test_settings import read
from tests.orders.pages import text_of
from tests.signin import phone
from tests.signin.conftest import is_in, log_in


@pytest.fixture
def production(settings):
    settings.PEOPLE_NEED_MFA = True


@pytest.mark.parametrize("who", ["anna", "theo", "vera", "bruno"])
def test_nobody_of_any_lab_sees_a_case_by_the_password_alone(cast, production, who):
    person = getattr(cast, who)
    client = log_in(person)
    assert client.get("/")["Location"] == "/accounts/security/"
    assert "asks for sign-in in two steps" in text_of(client.get("/accounts/security/"))


def test_whoever_sets_one_up_goes_on_and_cannot_take_it_away_again(cast, production, enrol):
    client, _ = enrol(cast.theo)
    assert client.get("/").status_code == 200
    assert "Add another one first" in text_of(client.post("/accounts/2fa/totp/deactivate/"))


def test_control_where_nobody_asks_the_password_is_enough(cast):
    assert log_in(cast.theo).get("/").status_code == 200
    assert not demanded_of(cast.theo)


def test_it_is_on_at_https_and_off_on_this_machine():
    assert read("PEOPLE_NEED_MFA", BASE_URL="https://portal.example.org") == {"PEOPLE_NEED_MFA": True}
    assert read("PEOPLE_NEED_MFA", BASE_URL="http://localhost:8000") == {"PEOPLE_NEED_MFA": False}


def test_a_new_password_by_mail_is_no_way_round_the_second_step(cast, enrol):
    _, secret = enrol(cast.theo)
    stranger = log_in(cast.nina)
    stranger.post("/accounts/logout/")
    stranger.post("/accounts/password/reset/", {"email": cast.theo.email})
    link = next(word for word in str(mail.outbox[-1].body).split() if "/accounts/password/reset/key/" in word)
    form = stranger.get(link, follow=True).redirect_chain[-1][0]
    stranger.post(form, {"password1": "a stranger's own choice", "password2": "a stranger's own choice"})
    assert not is_in(stranger)
    stranger.post("/accounts/login/", {"login": cast.theo.email, "password": "a stranger's own choice"})
    assert not is_in(stranger)
    stranger.post("/accounts/2fa/authenticate/", {"code": phone.code(secret)})
    assert is_in(stranger)
