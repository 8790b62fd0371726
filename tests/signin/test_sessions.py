"""Sessions: they end when idle and when old, a refreshing page does not keep them, and others can be ended."""

import re
import time

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labportal.env import BASE_DIR
from labportal.signin.templatetags.browsers import browser_words
from tests.audit.conftest import since  # noqa: F401 - a fixture
from tests.orders.pages import text_of
from tests.signin.conftest import is_in, log_in

REFRESH = {"HX-Request": "true", "X-Background": "1"}


def grow_older(client: Client, *, idle: int = 0, age: int = 0) -> None:
    """As if so many seconds had gone by."""
    session = client.session
    session["seen"] = int(time.time()) - idle
    session["began"] = int(time.time()) - max(age, idle)
    session.save()


@pytest.fixture
def theo(cast):
    return log_in(cast.theo)


def test_a_used_session_lives(theo):
    grow_older(theo, idle=59 * 60)
    assert theo.get("/").status_code == 200
    grow_older(theo, idle=59 * 60)
    assert theo.get("/").status_code == 200


def test_an_idle_session_ends_and_the_log_in_says_why(theo):
    grow_older(theo, idle=60 * 60)
    door = theo.get("/?lane=all")
    assert door["Location"] == "/accounts/login/?next=%2F%3Flane%3Dall&ended=idle"
    assert "nothing was done here for a while" in text_of(theo.get(door["Location"]))
    assert theo.get("/")["Location"] == "/accounts/login/?next=/"


def test_a_session_ends_after_the_longest_time_however_much_it_is_used(theo):
    grow_older(theo, age=12 * 3600)
    assert theo.get("/")["Location"].endswith("&ended=old")
    assert not is_in(theo)


def test_the_row_of_an_ended_session_is_gone(theo):
    key = theo.session.session_key
    grow_older(theo, idle=60 * 60)
    theo.get("/")
    assert not Session.objects.filter(pk=key).exists()


def test_nothing_is_done_for_an_idle_session(theo, cast):
    grow_older(theo, idle=60 * 60)
    theo.post("/labs/switch", {"lab": "lab-b"})
    assert "_auth_user_id" not in theo.session


@pytest.mark.parametrize(("own", "ends"), [(15, True), (90, False), (None, False)])
def test_a_lab_may_be_stricter_than_the_portal_and_not_laxer(theo, cast, rules, own, ends):
    rules(cast.lab_a, idle_minutes=own)
    grow_older(theo, idle=16 * 60)
    assert (theo.get("/").status_code == 302) is ends
    if own == 90:
        grow_older(theo, idle=61 * 60)
        assert theo.get("/").status_code == 302


def test_a_labs_own_longest_time_counts(theo, cast, rules):
    rules(cast.lab_a, session_hours=2)
    grow_older(theo, age=2 * 3600)
    assert theo.get("/").status_code == 302


def test_a_list_that_refreshes_itself_does_not_keep_a_session_alive(theo):
    for _ in range(3):
        grow_older(theo, idle=59 * 60)
        assert theo.get("/", headers=REFRESH).status_code == 200
        assert time.time() - theo.session["seen"] >= 59 * 60


def test_control_a_click_does(theo):
    grow_older(theo, idle=59 * 60)
    theo.get("/")
    assert time.time() - theo.session["seen"] < 60


def test_a_list_that_refreshes_itself_in_an_ended_session_takes_the_page_to_the_log_in(theo):
    grow_older(theo, idle=60 * 60)
    answer = theo.get("/", headers={**REFRESH, "HX-Current-URL": "http://testserver/?lane=done"})
    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=%2F&ended=idle"
    assert b"row" not in answer.content


def test_a_session_in_use_is_written_once_a_minute_at_most(theo):
    theo.get("/")
    with CaptureQueriesContext(connection) as queries:
        for _ in range(5):
            theo.get("/healthz")
            theo.get("/")
    assert not [q for q in queries if "django_session" in q["sql"] and not q["sql"].startswith("SELECT")]


def test_all_other_browsers_are_signed_out_by_one_button(cast):
    here, there = log_in(cast.theo), log_in(cast.theo)
    assert "2 browsers" in text_of(here.get("/accounts/security/"))
    here.post("/accounts/sessions/")
    assert is_in(here)
    assert not is_in(there)


def test_a_new_password_ends_the_other_sessions(cast):
    here, there = log_in(cast.nina), log_in(cast.nina)
    old = {"oldpassword": "correct horse battery"}
    new = "another horse battery"
    here.post("/accounts/password/change/", {**old, "password1": new, "password2": new})
    assert is_in(here)
    assert not is_in(there)


CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 (KHTML, like Gecko) Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome, Windows"),
        (f"{CHROME} Edg/140.0", "Edge, Windows"),
        (IPHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("labsync/1.0", "labsync/1.0"),
        ("", "Unknown"),
    ],
)
def test_a_browser_is_named_in_words(agent, words):
    assert browser_words(agent) == words


def test_the_page_of_sessions_names_browsers_as_people_do(cast):
    page = text_of(log_in(cast.theo, Client(headers={"User-Agent": CHROME})).get("/accounts/sessions/"))
    assert "Chrome, Windows" in page
    assert "AppleWebKit" not in page


def numbers(client):
    """Of the sessions that the page lets one end."""
    return re.findall(r'action="/accounts/sessions/(\d+)/end"', client.get("/accounts/sessions/").content.decode())


def test_one_other_browser_is_signed_out_and_the_rest_stay(cast):
    first, second, here = log_in(cast.theo), log_in(cast.theo), log_in(cast.theo)
    older, newer = numbers(here)
    assert "That browser is signed out." in text_of(here.post(f"/accounts/sessions/{older}/end", follow=True))
    assert [is_in(first), is_in(second), is_in(here)] == [False, True, True]
    assert numbers(here) == [newer]
    assert not Session.objects.filter(pk=first.session.session_key).exists()


def test_nobody_ends_a_session_of_another_person_or_this_one(cast):
    theo, anna, elsewhere = log_in(cast.theo), log_in(cast.anna), log_in(cast.anna)
    (of_anna,) = numbers(elsewhere)
    (here,) = numbers(anna)
    missing = theo.post("/accounts/sessions/999999/end")
    foreign = theo.post(f"/accounts/sessions/{of_anna}/end")
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert elsewhere.post(f"/accounts/sessions/{here}/end").status_code == 404  # her own, the one that asks
    assert is_in(anna)
    assert is_in(elsewhere)


def test_a_session_that_is_ended_stands_in_the_audit(cast, since):  # noqa: F811 - the fixture
    there, here = log_in(cast.theo), log_in(cast.theo)
    here.post(f"/accounts/sessions/{numbers(here)[0]}/end")
    assert "log_in.session_ended" in [entry.action for entry in since(cast.lab_a.pk)]
    assert not is_in(there)


def test_whatever_a_page_asks_again_and_again_by_itself_says_so():
    """Else a page that is left open would keep the session for as long as the browser runs."""
    repeats = re.compile(r"setInterval\(|hx-trigger=\"every ")
    root = BASE_DIR
    files = [*(root / "static" / "js").glob("*.js"), *(root / "templates").rglob("*.html")]
    found = [file for file in files if repeats.search(file.read_text())]
    assert {file.name for file in found} >= {"case.js", "inbox.html"}
    assert [file.name for file in found if '"X-Background": "1"' not in file.read_text()] == []
