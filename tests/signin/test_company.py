"""Sign-in by a lab's own provider, a real one in a second process: who comes in, and where it ends."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from labportal.labs.models import Lab, Membership, Role
from labportal.labs.tenancy import in_lab
from labportal.signin import company
from labportal.signin.models import SignOn
from tests.matrix.addresses import ADDRESSES, HOLE
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of
from tests.signin import conftest
from tests.signin.at_company import arrive, come_in, leave, set_up
from tests.signin.test_rules import age_the_confirmation


def test_a_member_comes_in(sign_on, identity):
    client, answer = come_in(identity, "theo@example.com")
    assert answer["Location"] == "/"
    assert client.get("/").context["nav"]["lab_name"] == "Lab A"


def test_and_to_the_page_that_was_asked_for_but_never_to_another_site(sign_on, identity):
    assert come_in(identity, "theo@example.com", query="?next=/find/")[1]["Location"] == "/find/"
    assert come_in(identity, "theo@example.com", query="?next=https://evil.example/")[1]["Location"] == "/"


@pytest.mark.parametrize("who", ["bruno", "nina", "stranger", "olga", "vera"])
def test_nobody_else_comes_in_whatever_the_provider_says(cast, sign_on, identity, who):
    """Bruno is of lab B, Nina of none, the stranger unknown, Olga the operator; Vera's address is not confirmed."""
    with in_lab(cast.lab_a.pk):
        Membership.objects.create(lab=cast.lab_a, user=cast.olga, role=Role.OWNER)
    try:
        client, answer = come_in(identity, f"{who}@example.com")
        assert answer["Location"] == "/accounts/login/"
        assert "this lab knows nobody with the address that it confirmed" in text_of(client.get(answer["Location"]))
        assert client.get("/").status_code == 302
    finally:
        with in_lab(cast.lab_a.pk):
            Membership.objects.of(cast.lab_a).filter(user=cast.olga).delete()


def test_a_suspended_member_does_not_come_in(cast, sign_on, identity):
    with in_lab(cast.lab_a.pk):
        mine = Membership.objects.of(cast.lab_a).filter(user=cast.theo)
        mine.update(suspended_at=timezone.now())
    try:
        assert come_in(identity, "theo@example.com")[1]["Location"] == "/accounts/login/"
    finally:
        with in_lab(cast.lab_a.pk):
            mine.update(suspended_at=None)


def test_an_address_that_the_provider_calls_unconfirmed_stays_so_though_the_lab_trusts_silence(cast, identity):
    set_up(cast.lab_a, identity, vouches_for_addresses=True)
    assert come_in(identity, "vera@example.com")[1]["Location"] == "/accounts/login/"


def test_a_silent_provider_is_believed_only_when_the_lab_says_so(cast):
    claims = {"sub": "theo's own", "email": "theo@example.com"}
    with pytest.raises(company.NotLetIn, match="no_member"):
        company.member_of(cast.lab_a.pk, claims=claims, vouches=False)
    assert company.member_of(cast.lab_a.pk, claims=claims, vouches=True) == cast.theo


@pytest.fixture
def theo_in_both(cast):
    with in_lab(cast.lab_b.pk):
        there = Membership.objects.create(lab=cast.lab_b, user=cast.theo, role=Role.OWNER)
    yield make_order(cast.lab_b, make_pairing(cast.lab_b), "OF-B")
    with in_lab(cast.lab_b.pk):
        there.delete()


def test_lab_as_provider_opens_lab_a_alone_also_for_a_person_of_both(sign_on, identity, theo_in_both):
    client, _ = come_in(identity, "theo@example.com")
    client.post("/labs/switch", {"lab": "lab-b"})
    page = client.get("/")
    assert page.context["nav"]["lab_name"] == "Lab A"
    assert [lab["name"] for lab in page.context["nav"]["labs"]] == ["Lab A"]
    assert client.get(f"/cases/{theo_in_both.pk}").status_code == 404


def test_control_signed_in_with_the_password_the_same_person_reaches_lab_b(cast, theo_in_both):
    client = conftest.log_in(cast.theo)
    client.post("/labs/switch", {"lab": "lab-b"})
    assert client.get(f"/cases/{theo_in_both.pk}").status_code == 200


# What such a session needs; whatever else stands below /accounts/, or will, is the person's own.
NEEDED = {
    "account_login", "account_logout", "account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn",
    "security", "mfa_index", "company_sign_in", "company_door", "openid_connect_callback",
}  # fmt: skip
OWN = [
    HOLE.sub("1", path)
    for name, path in sorted(ADDRESSES.items())
    if path.startswith("/accounts/") and name not in NEEDED
]


@pytest.mark.parametrize("path", OWN)
def test_such_a_session_can_not_touch_the_persons_own_log_in_which_may_open_other_labs(sign_on, identity, path):
    client, _ = come_in(identity, "theo@example.com")
    for answer in (client.get(path), client.post(path, {"email": "other@example.com"})):
        assert answer.status_code == 403
        assert "You came in by your company" in text_of(answer)


def test_nor_become_the_operator_when_that_person_becomes_one(cast, sign_on, identity):
    client, _ = come_in(identity, "theo@example.com")
    type(cast.theo).objects.filter(pk=cast.theo.pk).update(is_staff=True, is_superuser=True)
    try:
        assert client.get("/admin/").status_code == 302
        assert client.get("/admin/", follow=True).status_code == 403
    finally:
        type(cast.theo).objects.filter(pk=cast.theo.pk).update(is_staff=False, is_superuser=False)


def test_a_log_in_with_the_password_afterwards_is_free_of_the_bond(cast, sign_on, identity):
    client, _ = come_in(identity, "theo@example.com")
    client.post("/accounts/logout/")
    conftest.log_in(cast.theo, client)
    assert client.get("/accounts/sessions/").status_code == 200


# --- the protocol ---------------------------------------------------------------------------------------------------


def test_the_question_carries_state_nonce_and_a_pkce_challenge(sign_on):
    asked = parse_qs(urlsplit(leave(Client())).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["nonce"][0]) >= 40
    assert len(asked["state"][0]) >= 16
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}


def test_an_address_adds_nothing_to_the_question(sign_on):
    url = leave(Client(), query="?scope=admin&process=connect&auth_params=prompt%3Dnone%26response_type%3Dtoken")
    asked = parse_qs(urlsplit(url).query)
    assert "admin" not in asked["scope"][0]
    assert asked["response_type"] == ["code"]
    assert "prompt" not in asked


def test_an_answer_counts_once(sign_on, identity):
    client = Client()
    back = identity.walk(leave(client), "theo@example.com")
    assert arrive(client, back)["Location"] == "/"
    client.post("/accounts/logout/")
    assert arrive(client, back)["Location"] == "/accounts/login/"
    assert client.get("/").status_code == 302


def test_an_answer_counts_in_the_browser_that_asked(sign_on, identity):
    """Else somebody could be signed in as another person by a link."""
    back = identity.walk(leave(Client()), "theo@example.com")
    victim = Client()
    assert arrive(victim, back)["Location"] == "/accounts/login/"
    assert victim.get("/").status_code == 302


def test_an_answer_for_lab_a_is_none_for_lab_b_at_the_same_provider(cast, sign_on, identity, theo_in_both):
    other = set_up(cast.lab_b, identity)
    client = Client()
    back = identity.walk(leave(client), "theo@example.com")
    moved = back.replace(str(sign_on.pk), str(other.pk))
    assert moved != back
    assert arrive(client, moved)["Location"] == "/accounts/login/"
    assert client.get("/").status_code == 302


def test_a_token_that_was_made_for_another_question_is_refused(sign_on, identity):
    client = Client()
    back = identity.walk(leave(client), "theo@example.com")
    session = client.session
    for state in session["socialaccount_states"].values():
        state[0]["data"]["nonce"] = "another"
    session.save()
    answer = arrive(client, back)
    assert "could not be trusted" in text_of(client.get(answer["Location"]))
    assert client.get("/").status_code == 302


def test_a_provider_that_is_gone_is_said_in_words(cast, sign_on):
    with in_lab(cast.lab_a.pk):
        SignOn.objects.of(cast.lab_a).update(issuer="http://localhost:9")
    client = Client()
    answer = client.post("/accounts/company/lab-a/")
    assert "did not answer as it should" in text_of(client.get(answer["Location"]))


def test_cancelling_at_the_company_is_said_in_words(sign_on):
    client = Client()
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    answer = client.get(f"/accounts/oidc/{sign_on.pk}/callback?error=access_denied&state={state}")
    assert "cancelled at your company" in text_of(client.get(answer["Location"]))


# --- the lab's rules ------------------------------------------------------------------------------------------------


def test_it_counts_as_a_second_step_if_the_lab_says_so(cast, sign_on, identity, rules):
    rules(cast.lab_a, mfa_required=True)
    client, _ = come_in(identity, "theo@example.com")
    assert client.get("/").status_code == 200
    rules(cast.lab_a, sso_counts_as_mfa=False)
    assert client.get("/")["Location"] == "/accounts/security/"


def test_a_lab_may_let_people_in_by_the_company_only(cast, sign_on, identity, rules):
    rules(cast.lab_a, sso_required=True)
    by_password = conftest.log_in(cast.theo).get("/")
    assert by_password.status_code == 403
    assert "lets people in by the company's own sign-in only" in text_of(by_password)
    client, _ = come_in(identity, "theo@example.com")
    assert client.get("/").status_code == 200


def test_only_an_owner_who_came_in_by_it_makes_it_the_only_way(cast, sign_on, identity, rules):
    rules(cast.lab_a)
    anna = conftest.log_in(cast.anna)
    anna.post("/lab/sign-in/company/rules", {"sso_required": "on"})
    assert not Lab.objects.using("operator").get(pk=cast.lab_a.pk).sso_required
    by_company, _ = come_in(identity, "anna@example.com")
    by_company.post("/lab/sign-in/company/rules", {"sso_required": "on"})
    assert Lab.objects.using("operator").get(pk=cast.lab_a.pk).sso_required


def test_such_a_session_confirms_at_the_company(sign_on, identity):
    client, _ = come_in(identity, "anna@example.com")
    assert "reauthenticate" not in client.post("/connections/connect")["Location"]
    age_the_confirmation(client)
    away = client.get("/lab/sign-in")["Location"]
    assert away == "/accounts/company/lab-a/?next=%2Flab%2Fsign-in"
    asked = parse_qs(urlsplit(str(client.post(away).context["url"])).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


def test_confirmed_there_it_goes_on_where_it_was(sign_on, identity):
    client, _ = come_in(identity, "anna@example.com")
    age_the_confirmation(client)
    url = str(client.post("/accounts/company/lab-a/?next=/lab/sign-in").context["url"])
    answer = arrive(client, identity.walk(url, "anna@example.com"))
    assert answer["Location"] == "/lab/sign-in"
    assert "Clear-Site-Data" not in answer.headers
    assert client.get("/lab/sign-in").status_code == 200
