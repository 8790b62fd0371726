"""People at the door: who comes in, what a stranger can find out, and what a person without a lab sees."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.cache import cache
from django.test import Client

from labportal.labs.models import Membership, Role, User
from labportal.labs.tenancy import in_lab
from tests.cast import PASSWORD
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of

pytestmark = pytest.mark.django_db
LOG_IN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _no_guesses_of_other_tests(db):
    cache.clear()


def log_in(email, password=PASSWORD, client=None, **more):
    return (client or Client()).post(LOG_IN, {"login": email, "password": password, **more})


# --- coming in ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("email", ["anna@example.com", "Anna@Example.COM", "  anna@example.com "])
def test_a_person_comes_in_by_e_mail_in_any_case(cast, email):
    client = Client()
    answer = log_in(email, client=client)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/").status_code == 200


def test_the_password_counts_letter_by_letter(cast):
    assert log_in("anna@example.com", PASSWORD.upper()).status_code == 200


def test_a_log_in_leads_to_the_page_that_was_asked_for(cast):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a))
    client = Client()
    door = client.get(f"/cases/{order.pk}")
    assert door["Location"] == f"{LOG_IN}?next=/cases/{order.pk}"
    assert log_in("anna@example.com", client=client, next=f"/cases/{order.pk}").url == f"/cases/{order.pk}"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil.example"]
)
def test_a_log_in_never_leads_to_another_site(cast, target):
    assert log_in("anna@example.com", next=target).url == "/"


def test_the_log_in_page_keeps_what_is_wrong_with_next_out_of_its_markup(db):
    page = Client().get(LOG_IN, {"next": '"><script>alert(1)</script>'}).content.decode()
    assert "<script>alert(1)" not in page


def test_the_session_key_changes_at_log_in(cast):
    client = Client()
    client.get(LOG_IN)
    session = client.session
    session["before"] = 1
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    log_in("anna@example.com", client=client)
    assert client.session.session_key != session.session_key


def test_the_session_cookie_is_not_for_scripts_and_ends_with_the_browser(cast):
    cookie = log_in("anna@example.com").cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["max-age"]


# --- staying out --------------------------------------------------------------------------------------------------


def said(answer, email):
    """The page without what differs at every call: the form's token and the address that was typed."""
    content = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
    return answer.status_code, content.replace(email, "…")


def test_a_wrong_password_and_an_unknown_person_get_the_same_answer(cast):
    known = said(log_in("anna@example.com", "wrong"), "anna@example.com")
    unknown = said(log_in("nobody@example.com", "wrong"), "nobody@example.com")
    assert known == unknown
    assert "The email address and/or password you specified are not correct." in known[1]


def test_an_inactive_person_stays_out(cast):
    User.objects.filter(pk=cast.vera.pk).update(is_active=False)
    client = Client()
    log_in("vera@example.com", client=client)
    assert client.get("/").status_code == 302


def test_an_inactive_person_with_a_wrong_password_learns_nothing(cast):
    User.objects.filter(pk=cast.vera.pk).update(is_active=False)
    answer = said(log_in("vera@example.com", "wrong"), "vera@example.com")
    assert answer == said(log_in("nobody@example.com", "wrong"), "nobody@example.com")


def test_a_session_ends_when_the_person_is_made_inactive(cast, client_of):
    vera = client_of(cast.vera)
    User.objects.filter(pk=cast.vera.pk).update(is_active=False)
    assert vera.get("/").status_code == 302


def test_too_many_guesses_at_one_person_are_stopped_even_with_the_right_password(cast):
    for _ in range(5):
        log_in("anna@example.com", "wrong")
    answer = log_in("anna@example.com")
    assert answer.status_code == 200
    assert "Too many failed login attempts. Try again later." in text_of(answer)
    assert log_in("theo@example.com").status_code == 302  # others are not locked out


def test_guesses_in_other_capitals_count_for_the_same_person(cast):
    for email in ("anna@example.com", "ANNA@example.com", "Anna@example.com", "annA@example.com", "aNna@example.com"):
        log_in(email, "wrong")
    assert log_in("anna@example.com").status_code == 200


def test_one_address_that_knocks_all_the_time_gets_a_page_in_words(cast):
    answer = None
    for number in range(40):
        answer = log_in(f"nobody{number}@example.com", "wrong")
        if answer.status_code == 429:
            break
    assert answer is not None
    assert answer.status_code == 429
    assert "Too many tries in a short time" in text_of(answer)
    assert "portal.css" in answer.content.decode()


def test_guesses_are_counted_in_the_database_that_all_processes_share(cast, settings):
    assert settings.CACHES["default"]["BACKEND"].endswith("DatabaseCache")


def test_behind_a_proxy_the_visitors_address_counts_not_the_proxys(cast, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def knock(visitor):
        return Client(headers={"X-Forwarded-For": visitor}).post(LOG_IN, {"login": "x@example.com", "password": "x"})

    for _ in range(31):
        last = knock("203.0.113.1")
    assert last.status_code == 429
    assert knock("203.0.113.2").status_code == 200


def test_nobody_signs_up(db):
    for answer in (Client().get("/accounts/signup/"), Client().post("/accounts/signup/", {"email": "x@example.com"})):
        assert "Nobody can sign up here alone." in text_of(answer)
    assert "/accounts/signup/" not in Client().get(LOG_IN).content.decode()


# --- a new password -----------------------------------------------------------------------------------------------


def ask_for_password(email):
    return Client().post("/accounts/password/reset/", {"email": email})


def test_a_new_password_comes_by_mail_and_works(cast):
    ask_for_password("VERA@example.com")
    (sent,) = mail.outbox
    assert sent.to == ["vera@example.com"]
    assert sent.subject == "Lab portal: choose a new password"
    link = re.search(r"https?://[^/\s]+(/accounts/password/reset/key/\S+)", str(sent.body))
    assert link
    client = Client()
    form = client.get(link[1], follow=True)
    path = form.redirect_chain[-1][0]
    client.post(path, {"password1": "another horse battery", "password2": "another horse battery"})
    assert log_in("vera@example.com").status_code == 200
    assert log_in("vera@example.com", "another horse battery").status_code == 302
    assert "/reset/key/" in path
    assert client.get(link[1], follow=True).status_code == 200
    assert "set-password" not in client.get(link[1], follow=True).request["PATH_INFO"]  # the link is used up


def test_the_answer_does_not_say_whether_there_is_such_a_person(cast):
    known, unknown = ask_for_password("anna@example.com"), ask_for_password("nobody@example.com")
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    to_stranger = mail.outbox[-1]
    assert to_stranger.to == ["nobody@example.com"]
    assert "There is no log-in for nobody@example.com" in to_stranger.body
    assert "signup" not in to_stranger.body


def test_too_many_mails_to_one_person_are_stopped(cast):
    answers = [ask_for_password("anna@example.com").status_code for _ in range(7)]
    assert 429 in answers
    assert len(mail.outbox) <= 5


def test_a_weak_password_is_not_taken(cast, client_of):
    client = client_of(cast.anna)
    form = {"oldpassword": PASSWORD, "password1": "password12", "password2": "password12"}
    client.post("/accounts/password/change/", form)
    assert log_in("anna@example.com").status_code == 302


# --- going out ----------------------------------------------------------------------------------------------------


def test_signing_out_takes_a_press_of_a_button_and_ends_the_session(cast, client_of):
    client = client_of(cast.anna)
    key = client.session.session_key
    client.get("/accounts/logout/")
    assert client.get("/").status_code == 200
    assert client.post("/accounts/logout/").url == LOG_IN
    assert client.get("/").status_code == 302
    assert not Session.objects.filter(pk=key).exists()


def test_signing_out_needs_the_forms_token(cast):
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.anna, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post("/accounts/logout/").status_code == 403
    assert client.get("/").status_code == 200


# --- labs ---------------------------------------------------------------------------------------------------------


def test_a_person_without_a_lab_is_told_whom_to_ask(cast, client_of):
    nina = client_of(cast.nina)
    for path in ("/", "/connections/", "/cases/00000000-0000-4000-8000-000000000000"):
        answer = nina.get(path)
        assert answer.status_code == 403
        assert "you belong to no lab" in text_of(answer)
    assert "nina@example.com" in text_of(nina.get("/"))


@pytest.fixture
def theo_in_both(cast):
    """Theo works in lab B as a viewer, too."""
    with in_lab(cast.lab_b.pk):
        Membership.objects.create(lab=cast.lab_b, user=cast.theo, role=Role.VIEWER)
    make_order(cast.lab_a, make_pairing(cast.lab_a), "OF-A")
    return make_order(cast.lab_b, make_pairing(cast.lab_b), "OF-B")


def test_a_person_of_two_labs_sees_one_at_a_time_and_can_change(cast, client_of, theo_in_both):
    theo = client_of(cast.theo)
    first = text_of(theo.get("/"))
    assert "OF-A" in first
    assert "OF-B" not in first
    assert theo.get(f"/cases/{theo_in_both.pk}").status_code == 404
    assert theo.post("/labs/switch", {"lab": "lab-b"}).url == "/"
    second = text_of(theo.get("/"))
    assert "OF-B" in second
    assert "OF-A" not in second
    assert theo.get(f"/cases/{theo_in_both.pk}").status_code == 200


def test_the_role_is_that_of_the_lab_one_acts_for(cast, client_of, theo_in_both):
    theo = client_of(cast.theo)
    theo.post("/labs/switch", {"lab": "lab-b"})
    assert theo.post(f"/cases/{theo_in_both.pk}/workflow", {"workflow": "done"}).status_code == 403


def test_both_labs_stand_in_the_switch_and_the_current_one_is_marked(cast, client_of, theo_in_both):
    nav = client_of(cast.theo).get("/").context["nav"]
    assert [(lab["name"], lab["current"]) for lab in nav["labs"]] == [("Lab A", True), ("Lab B", False)]


@pytest.mark.parametrize("slug", ["lab-b", "nonsense", "", "\x00"])
def test_nobody_changes_to_a_lab_of_others(cast, client_of, slug):
    anna = client_of(cast.anna)
    anna.post("/labs/switch", {"lab": slug})
    assert anna.get("/").context["nav"]["lab_name"] == "Lab A"


def test_the_lab_is_changed_by_post_alone(cast, client_of, theo_in_both):
    assert client_of(cast.theo).get("/labs/switch?lab=lab-b").status_code == 405


def test_a_lab_that_one_has_left_is_gone_at_the_next_page(cast, client_of, theo_in_both):

    theo = client_of(cast.theo)
    theo.post("/labs/switch", {"lab": "lab-b"})
    with in_lab(cast.lab_b.pk):
        Membership.objects.of(cast.lab_b).filter(user=cast.theo).delete()
    assert theo.get("/").context["nav"]["lab_name"] == "Lab A"
    assert theo.get(f"/cases/{theo_in_both.pk}").status_code == 404
