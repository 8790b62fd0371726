"""What a lab and the portal ask for: a second step before any page, and a confirmation before what hurts."""

import time

import pytest
from allauth.mfa.models import Authenticator
from django.core.checks import run_checks

from labportal.labs.models import Membership, Role
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of
from tests.signin import phone
from tests.signin.conftest import log_in

PAGES = ("/", "/connections/", "/find/", "/attention/")


@pytest.mark.parametrize("path", PAGES)
def test_a_lab_that_asks_for_a_second_step_shows_no_page_without(cast, rules, path):
    rules(cast.lab_a, mfa_required=True)
    theo = log_in(cast.theo)
    assert theo.get(path)["Location"] == "/accounts/security/"


def test_the_person_is_told_what_to_do(cast, rules):
    rules(cast.lab_a, mfa_required=True)
    page = text_of(log_in(cast.theo).get("/accounts/security/"))
    assert "Lab A: asks for sign-in in two steps." in page
    assert "Set up a passkey or an authenticator app here" in page


def test_a_case_stays_shut_for_reading_and_writing(cast, rules):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a))
    rules(cast.lab_a, mfa_required=True)
    theo = log_in(cast.theo)
    assert theo.get(f"/cases/{order.pk}").status_code == 302
    assert theo.post(f"/cases/{order.pk}/workflow", {"workflow": "done"})["Location"] == "/accounts/security/"


def test_whoever_sets_one_up_goes_on_at_once(cast, rules, enrol):
    rules(cast.lab_a, mfa_required=True)
    client, _ = enrol(cast.theo)
    assert client.get("/").status_code == 200


def test_a_session_from_before_by_the_password_alone_does_not_count(cast, rules, enrol):
    rules(cast.lab_a, mfa_required=True)
    before = log_in(cast.theo)
    enrol(cast.theo)
    assert before.get("/")["Location"] == "/accounts/security/"
    assert "Sign out and in again" in text_of(before.get("/accounts/security/"))


def test_signed_in_with_the_second_step_all_is_open(cast, rules, enrol):
    _, secret = enrol(cast.theo)
    rules(cast.lab_a, mfa_required=True)
    client = log_in(cast.theo)
    client.post("/accounts/2fa/authenticate/", {"code": phone.code(secret)})
    assert client.get("/").status_code == 200


def test_another_labs_people_are_not_bothered(cast, rules):
    rules(cast.lab_a, mfa_required=True)
    assert log_in(cast.bruno).get("/").status_code == 200


def test_the_last_second_step_stays_while_a_lab_asks_for_one(cast, rules, enrol):
    client, _ = enrol(cast.theo)
    rules(cast.lab_a, mfa_required=True)
    answer = client.post("/accounts/2fa/totp/deactivate/")
    assert "Add another one first" in text_of(answer)
    assert Authenticator.objects.filter(type="totp").exists()


def test_it_may_go_when_nobody_asks(cast, enrol):
    client, _ = enrol(cast.theo)
    client.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()


# --- the operator ---------------------------------------------------------------------------------------------------


@pytest.fixture
def production(settings):
    settings.OPERATORS_NEED_MFA = True


def test_the_operators_site_opens_to_a_second_step_only(cast, production, enrol):
    olga = log_in(cast.olga)
    assert olga.get("/admin/labs/lab/", follow=True).redirect_chain[-1][0] == "/accounts/security/"
    assert "The operator's site: asks for sign-in in two steps." in text_of(olga.get("/accounts/security/"))
    with_app, _ = enrol(cast.olga)
    assert with_app.get("/admin/labs/lab/").status_code == 200


def test_no_form_of_djangos_own_stands_beside_the_door(cast, production):
    olga = log_in(cast.olga)
    answer = olga.post("/admin/login/", {"username": "olga@example.com", "password": "correct horse battery"})
    assert answer["Location"] == "/accounts/security/"
    assert olga.get("/admin/").status_code == 302


def test_an_installation_at_https_refuses_operators_without(settings):
    settings.SECURE, settings.OPERATORS_NEED_MFA = True, False
    assert "signin.E001" in [message.id for message in run_checks()]


# --- confirming ------------------------------------------------------------------------------------------------------


def age_the_confirmation(client, seconds=601):
    session = client.session
    session["account_authentication_methods"] = [
        {**record, "at": time.time() - seconds} for record in session["account_authentication_methods"]
    ]
    session.save()


@pytest.fixture
def anna(cast):
    client = log_in(cast.anna)
    age_the_confirmation(client)
    return client


def test_connecting_asks_again_who_it_is_and_says_that_nothing_was_done(anna):
    answer = anna.post("/connections/connect", headers={"Referer": "http://testserver/connections/"})
    assert answer["Location"] == "/accounts/reauthenticate/?next=%2Fconnections%2F"
    page = text_of(anna.get(answer["Location"]))
    assert "Confirm that it is you" in page
    assert "Nothing was changed yet." in page


def test_disconnecting_asks_again_and_disconnects_nothing(cast, anna):
    pairing = make_pairing(cast.lab_a)
    answer = anna.post(f"/connections/{pairing.pk}/unpair", {"confirm": "yes"})
    assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_after_the_password_it_goes_on_where_one_was(anna):
    back = anna.post("/accounts/reauthenticate/?next=/connections/", {"password": "correct horse battery"})
    assert back["Location"] == "/connections/"
    assert "reauthenticate" not in anna.post("/connections/connect")["Location"]


def test_a_wrong_password_confirms_nothing(anna):
    anna.post("/accounts/reauthenticate/?next=/connections/", {"password": "wrong"})
    assert "reauthenticate" in anna.post("/connections/connect")["Location"]


def test_right_after_signing_in_nothing_is_asked_again(cast):
    assert "reauthenticate" not in log_in(cast.anna).post("/connections/connect")["Location"]


def test_a_confirmation_holds_for_ten_minutes(cast):
    client = log_in(cast.anna)
    age_the_confirmation(client, 599)
    assert "reauthenticate" not in client.post("/connections/connect")["Location"]
    age_the_confirmation(client, 601)
    assert "reauthenticate" in client.post("/connections/connect")["Location"]


def test_no_other_site_is_gone_back_to(anna):
    answer = anna.post("/connections/connect", headers={"Referer": "https://evil.example/connections/"})
    assert answer["Location"] == "/accounts/reauthenticate/?next=%2F"


def test_the_role_is_looked_at_before_anybody_is_asked(cast):
    vera = log_in(cast.vera)
    age_the_confirmation(vera)
    assert vera.post("/connections/connect").status_code == 403


# --- two labs -------------------------------------------------------------------------------------------------------


@pytest.fixture
def theo_in_both(cast):
    with in_lab(cast.lab_b.pk):
        there = Membership.objects.create(lab=cast.lab_b, user=cast.theo, role=Role.VIEWER)
    yield
    with in_lab(cast.lab_b.pk):
        there.delete()


@pytest.mark.parametrize("rule", ["mfa_required", "sso_required"])
def test_a_strict_lab_does_not_keep_its_people_from_their_other_lab(cast, rules, theo_in_both, rule):
    rules(cast.lab_a, **{rule: True})
    theo = log_in(cast.theo)
    door = theo.get("/", follow=True)
    assert 'value="lab-b"' in door.content.decode()
    theo.post("/labs/switch", {"lab": "lab-b"})
    assert theo.get("/").context["nav"]["lab_name"] == "Lab B"


def test_at_the_door_neither_cases_are_counted_nor_connections_named(cast, rules):
    pairing = make_pairing(cast.lab_a)
    with in_lab(cast.lab_a.pk):
        type(pairing).objects.filter(pk=pairing.pk).update(state="needs_pairing", account_name="Secret account")
    theo = log_in(cast.theo)
    assert "Secret account" in text_of(theo.get("/accounts/security/"))
    rules(cast.lab_a, mfa_required=True)
    page = text_of(theo.get("/accounts/security/"))
    assert "Secret account" not in page
    assert "Inbox" not in page


def test_the_page_of_rules_stands_beneath_settings_in_the_menu(cast):
    nav = log_in(cast.anna).get("/lab/sign-in").context["nav"]
    assert [link["label"] for link in nav["links"] if link["active"]] == ["Settings"]
