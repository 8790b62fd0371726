"""The owner's page of API keys: make, see once, replace, revoke; nobody else, and no other lab's."""

import re
import uuid

import pytest
from django.core import mail

from connector.lms.models import READ_ORDERS, ApiKey
from connector.lms.services import make_key, revoke_key
from labportal.labs.tenancy import in_lab
from tests.lms.conftest import with_key
from tests.orders.make import make_pairing
from tests.orders.pages import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(cast, client_of):
    return client_of(cast.anna)


def form(**more):
    given = {"name": "LMS", "scopes": [READ_ORDERS], "which": "all", "life": "365", "form_id": str(uuid.uuid4())}
    return given | more


def key_on(answer):
    found = re.search(r'id="new-key">([^<]+)<', answer.content.decode())
    return found[1] if found else None


def keys_of(lab):
    with in_lab(lab.pk):
        return list(ApiKey.objects.of(lab))


def works(text):
    return with_key(text)("/api/v1/orders").status_code == 200


def test_a_new_key_is_shown_once_and_works(anna):
    text = key_on(anna.post("/keys/new", form()))
    assert text is not None
    assert works(text)
    assert text not in anna.get("/keys/").content.decode()
    assert text[:11] in anna.get("/keys/").content.decode()
    assert mail.outbox == []  # that is for keys of the operator's


def test_the_key_stands_in_no_cookie_and_no_table(anna, cast):
    text = key_on(anna.post("/keys/new", form()))
    assert text is not None
    assert text not in "".join(morsel.value for morsel in anna.cookies.values())
    assert text not in str([vars(key) for key in keys_of(cast.lab_a)])
    assert text not in str(dict(anna.session))


def test_a_form_that_is_sent_twice_makes_one_key(anna, cast):
    once = form()
    anna.post("/keys/new", once)
    again = anna.post("/keys/new", once, follow=True)
    assert key_on(again) is None
    assert "This form was sent before" in text_of(again)
    assert len(keys_of(cast.lab_a)) == 1


def test_the_limits_are_those_of_the_form(anna, cast):
    pairing = make_pairing(cast.lab_a)
    make_pairing(cast.lab_a)
    anna.post("/keys/new", form(which="some", pairings=[str(pairing.pk)], networks="203.0.113.7, 2001:db8::/64"))
    [key] = keys_of(cast.lab_a)
    assert (key.scopes, key.pairings) == ([READ_ORDERS], [pairing.pk])
    assert key.networks == ["203.0.113.7/32", "2001:db8::/64"]
    assert 364 <= (key.expires_at - key.created_at).days <= 365


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": ""}, "Say which system will use the key."),
        ({"scopes": []}, "Choose at least one thing that the key may do."),
        ({"scopes": ["orders:write"]}, "orders:write"),
        ({"which": "some"}, "Choose at least one connection, or all of them."),
        ({"networks": "office"}, "“office” is no network address. Write for example 203.0.113.7"),
    ],
)
def test_a_form_that_says_too_little_is_answered_in_words(anna, cast, given, words):
    answer = anna.post("/keys/new", form(**given))
    assert words in text_of(answer)
    assert keys_of(cast.lab_a) == []


def test_a_connection_of_another_lab_cannot_be_chosen(anna, cast):
    theirs = make_pairing(cast.lab_b)
    anna.post("/keys/new", form(which="some", pairings=[str(theirs.pk)]))
    assert keys_of(cast.lab_a) == []


def test_a_key_is_replaced_and_both_work(anna, cast):
    key, old = make_key(lab=cast.lab_a, name="LMS", by=None)
    answer = anna.post(f"/keys/{key.pk}/rotate", {"grace": "7", "form_id": str(uuid.uuid4())})
    new = key_on(answer)
    assert new is not None
    assert works(old)
    assert works(new)
    assert "ends in 7 days" in text_of(answer)
    assert "Replaced, ends soon" in text_of(anna.get("/keys/"))


def test_a_revoked_key_opens_nothing_and_stays_on_the_list(anna, cast):
    key, text = make_key(lab=cast.lab_a, name="LMS", by=None)
    answer = anna.post(f"/keys/{key.pk}/revoke", follow=True)
    assert f"The key {key.prefix} opens nothing any more." in text_of(answer)
    assert "Revoked" in text_of(answer)
    assert not works(text)


def test_a_key_that_ended_cannot_be_replaced(anna, cast):
    key, _ = make_key(lab=cast.lab_a, name="LMS", by=None)
    revoke_key(key=key)
    answer = anna.post(f"/keys/{key.pk}/rotate", {"grace": "7", "form_id": str(uuid.uuid4())}, follow=True)
    assert "That key is not in use any more." in text_of(answer)


def test_the_menu_leads_the_owner_there_and_nobody_else(anna, cast, client_of):
    assert 'href="/keys/"' in anna.get("/").content.decode()
    assert 'href="/keys/"' not in client_of(cast.theo).get("/").content.decode()
