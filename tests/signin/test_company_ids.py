"""A lab's provider may give an address to somebody else; the portal knows its members by the provider's own id."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from labportal.audit.models import Entry
from labportal.labs.models import Membership, Role, User
from labportal.labs.tenancy import in_lab
from labportal.people import members
from labportal.signin import company
from labportal.signin.models import CompanyId
from tests.cast import Cast
from tests.identity.running import Provider
from tests.orders.pages import text_of
from tests.signin.at_company import come_in, set_up

THEO, NINA, AWAY = "theo@example.com", "nina@example.com", "left@example.com"


def ids(cast: Cast) -> list[tuple[User, str]]:
    with in_lab(cast.lab_a.pk):
        rows = CompanyId.objects.of(cast.lab_a).select_related("membership__user")
        return [(row.membership.user, row.subject) for row in rows]


@contextmanager
def given_to_nina(identity: Provider) -> Iterator[None]:
    """Theo's address, while he has another one there."""
    identity.rename(THEO, AWAY)
    identity.rename(NINA, THEO)
    try:
        yield
    finally:
        identity.rename(THEO, NINA)
        identity.rename(AWAY, THEO)


def test_who_gets_a_members_address_later_does_not_get_their_place(cast, sign_on, identity):
    assert come_in(identity, THEO)[1]["Location"] == "/"
    with given_to_nina(identity):
        client, answer = come_in(identity, THEO)
        assert answer["Location"] == "/accounts/login/"
        assert "confirms this address for somebody else than before" in text_of(client.get(answer["Location"]))
        assert client.get("/").status_code == 302
    with in_lab(cast.lab_a.pk):
        last = Entry.objects.filter(chain=cast.lab_a.pk).order_by("-seq")[0]
    assert (last.action, json.loads(last.facts)["reason"]) == ("sign_on.refused", "another_id")
    assert come_in(identity, THEO)[1]["Location"] == "/", "Theo himself is let in as before"


def test_control_an_address_alone_would_open(cast, sign_on, identity):
    """Without the id of the first sign-in the one who has the address now is taken for the member."""
    come_in(identity, THEO)
    with in_lab(cast.lab_a.pk):
        CompanyId.objects.of(cast.lab_a).delete()
    with given_to_nina(identity):
        assert come_in(identity, THEO)[1]["Location"] == "/"


def test_a_member_whose_address_changes_at_the_company_is_the_same_member(cast, sign_on, identity):
    come_in(identity, THEO)
    with given_to_nina(identity):
        client, answer = come_in(identity, AWAY)
        assert answer["Location"] == "/"
        assert client.get("/").wsgi_request.user == cast.theo


def test_one_id_is_kept_of_each_member_however_often_they_come(cast, sign_on, identity):
    for email in (THEO, THEO, "anna@example.com", THEO):
        assert come_in(identity, email)[1]["Location"] == "/"
    known = ids(cast)
    assert {user for user, _ in known} == {cast.theo, cast.anna}
    assert len({subject for _, subject in known}) == len(known) == 2


def test_nobody_who_is_refused_leaves_an_id(cast, sign_on, identity):
    for name in ("bruno", "nina", "stranger", "vera"):
        come_in(identity, f"{name}@example.com")
    assert ids(cast) == []


def test_who_is_removed_and_invited_anew_is_known_anew(cast, sign_on, identity):
    come_in(identity, THEO)
    with in_lab(cast.lab_a.pk):
        mine = Membership.objects.of(cast.lab_a).get(user=cast.theo)
        members.remove(membership=mine)
    assert ids(cast) == []
    with in_lab(cast.lab_a.pk):
        Membership.objects.create(lab=cast.lab_a, user=cast.theo, role=Role.TECHNICIAN)
    with given_to_nina(identity):
        assert come_in(identity, THEO)[1]["Location"] == "/"


@pytest.mark.parametrize("change", [{"issuer": "http://localhost:9"}, {"client_id": "another"}, {}])
def test_another_provider_has_ids_of_its_own(cast, sign_on, identity, change):
    """And the same one, saved again, has those it had."""
    come_in(identity, THEO)
    with in_lab(cast.lab_a.pk):
        values = {"issuer": identity.url, "client_id": identity.client_id, "secret": "", **change}
        company.save(lab=cast.lab_a, vouches_for_addresses=False, **values)
    assert len(ids(cast)) == (0 if change else 1)


def test_a_provider_that_is_taken_away_leaves_no_id(cast, sign_on, identity):
    come_in(identity, THEO)
    with in_lab(cast.lab_a.pk):
        company.remove(lab=cast.lab_a)
    assert ids(cast) == []


def test_an_id_counts_in_its_lab_alone(cast, sign_on, identity):
    come_in(identity, THEO)
    set_up(cast.lab_b, identity)
    assert come_in(identity, THEO, door="lab-b")[1]["Location"] == "/accounts/login/"
