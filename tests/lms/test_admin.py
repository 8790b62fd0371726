"""The operator makes and revokes keys; a key is seen once, its hash never."""

import re

import pytest

from connector.lms.models import ApiKey
from connector.lms.services import make_key
from labportal.labs.tenancy import in_lab
from tests.lms.conftest import with_key

pytestmark = pytest.mark.usefixtures("committed")
LIST, ADD = "/admin/lms/apikey/", "/admin/lms/apikey/add/"


def test_the_operator_makes_a_key_that_is_shown_once_and_works(cast, client_of):
    olga = client_of(cast.olga)
    form = {"lab": cast.lab_a.pk, "name": "exocad", "expires_at_0": "", "expires_at_1": ""}
    page = olga.post(ADD, form, follow=True).content.decode()
    (text,) = re.findall(r"lp_\w{8}_\w+", page)
    assert with_key(text)("/api/v1/orders").status_code == 200
    assert text not in olga.get(LIST).content.decode()
    with in_lab(cast.lab_a.pk):
        key = ApiKey.objects.of(cast.lab_a).get()
    assert (key.name, key.created_by_id) == ("exocad", cast.olga.pk)


def test_no_page_shows_a_key_or_its_hash(cast, client_of):
    key, text = make_key(lab=cast.lab_a, name="LMS", by=cast.olga)
    olga = client_of(cast.olga)
    for path in (LIST, f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/history/", f"{LIST}{key.pk}/delete/", "/admin/"):
        answer = olga.get(path)
        assert answer.status_code == 200
        page = answer.content.decode()
        assert text not in page
        assert text.split("_")[2] not in page
        assert key.key_hash not in page
    assert key.prefix in olga.get(LIST).content.decode()


def test_the_operator_revokes_a_key(cast, client_of):
    key, text = make_key(lab=cast.lab_a, name="LMS", by=None)
    answer = client_of(cast.olga).post(LIST, {"action": "revoke", "_selected_action": [key.pk]}, follow=True)
    assert f"Revoked: {key.prefix}." in answer.content.decode()
    assert with_key(text)("/api/v1/orders").status_code == 401


def test_a_key_cannot_be_changed(cast, client_of):
    key, _ = make_key(lab=cast.lab_a, name="LMS", by=None)
    client_of(cast.olga).post(f"{LIST}{key.pk}/change/", {"name": "other", "lab": cast.lab_b.pk})
    with in_lab(cast.lab_a.pk):
        assert ApiKey.objects.of(cast.lab_a).get(pk=key.pk).name == "LMS"


def test_a_labs_owner_cannot_come_in_here(cast, client_of):
    assert client_of(cast.anna).get(LIST).status_code == 302
