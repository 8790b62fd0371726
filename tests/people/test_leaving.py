"""Changing, suspending, removing, leaving: what ends at once, and who can't go."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail
from django.test import Client

from connector.lms.services import make_key
from labportal.labs.models import Role, User
from labportal.labs.services import add_member
from labportal.people import members
from tests.cast import PASSWORD, Cast
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import text_of
from tests.people.conftest import invited, link_in, membership_of, the

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    """Through the door, as a person does it."""
    client = Client()
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def address(cast: Cast, user: User, act: str = "") -> str:
    return f"/people/{the(membership_of(cast.lab_a, user)).pk}" + (f"/{act}" if act else "")


def by_key(text: str) -> int:
    return Client().get("/api/v1/orders", HTTP_AUTHORIZATION=f"Bearer {text}").status_code


@pytest.mark.parametrize("act", ["remove", "suspend"])
def test_open_sessions_and_keys_of_who_is_out_end_at_once(cast: Cast, anna: Client, act: str) -> None:
    case = make_order(cast.lab_a, make_pairing(cast.lab_a))
    theo, elsewhere = signed_in(cast.theo), signed_in(cast.theo)
    _, key = make_key(lab=cast.lab_a, name="Theo's", by=cast.theo)
    assert (theo.get(f"/cases/{case.pk}").status_code, by_key(key)) == (200, 200)
    page = text_of(anna.post(address(cast, cast.theo, act), follow=True))
    assert "Ended: 2 sessions, 1 API key." in page
    for browser in (theo, elsewhere):
        answer: Any = browser.get(f"/cases/{case.pk}")
        assert answer["Location"].startswith("/accounts/login/")
    assert by_key(key) == 401
    assert "belong to no lab" in text_of(signed_in(cast.theo).get("/")) or act == "suspend"


def test_keys_of_others_and_of_other_labs_stay(cast: Cast, anna: Client) -> None:
    add_member(lab=cast.lab_b, user=cast.theo, role=Role.OWNER)
    _, annas = make_key(lab=cast.lab_a, name="Anna's", by=cast.anna)
    _, theirs = make_key(lab=cast.lab_b, name="Theo's in B", by=cast.theo)
    anna.post(address(cast, cast.theo, "remove"))
    assert (by_key(annas), by_key(theirs)) == (200, 200)


def test_a_session_that_acts_for_another_lab_stays_and_can_not_come_back(cast: Cast, anna: Client) -> None:
    add_member(lab=cast.lab_b, user=cast.theo, role=Role.VIEWER)
    here, there = signed_in(cast.theo), signed_in(cast.theo)
    here.post("/labs/switch", {"lab": "lab-a"})
    there.post("/labs/switch", {"lab": "lab-b"})
    anna.post(address(cast, cast.theo, "remove"))
    assert here.get("/").status_code == 302
    assert there.get("/").context["nav"]["lab_name"] == "Lab B"
    there.post("/labs/switch", {"lab": "lab-a"})
    assert there.get("/").context["nav"]["lab_name"] == "Lab B"


def test_who_is_suspended_reads_why_and_sees_nothing(cast: Cast, anna: Client) -> None:
    case = make_order(cast.lab_a, make_pairing(cast.lab_a))
    anna.post(address(cast, cast.theo, "suspend"))
    theo = signed_in(cast.theo)
    answer = theo.get("/")
    assert answer.status_code == 403
    assert "Your access is suspended" in text_of(answer)
    assert "Lab A" in text_of(answer)
    assert theo.get(f"/cases/{case.pk}").status_code == 403


def test_who_is_let_in_again_works_as_before(cast: Cast, anna: Client) -> None:
    anna.post(address(cast, cast.theo, "suspend"))
    anna.post(address(cast, cast.theo, "resume"))
    assert signed_in(cast.theo).get("/").context["nav"]["role"] == "technician"


def test_a_key_that_ended_by_a_suspension_stays_ended(cast: Cast, anna: Client) -> None:
    _, key = make_key(lab=cast.lab_a, name="Theo's", by=cast.theo)
    anna.post(address(cast, cast.theo, "suspend"))
    anna.post(address(cast, cast.theo, "resume"))
    assert by_key(key) == 401


def test_the_page_before_a_removal_names_the_keys_that_end(cast: Cast, anna: Client) -> None:
    key, _ = make_key(lab=cast.lab_a, name="Milling room", by=cast.theo)
    page = text_of(anna.get(address(cast, cast.theo, "remove")))
    assert "Milling room" in page
    assert key.prefix in page
    assert membership_of(cast.lab_a, cast.theo) is not None


def test_who_is_removed_leaves_no_open_invitation_behind(cast: Cast, anna: Client) -> None:
    add_member(lab=cast.lab_a, user=cast.theo, role=Role.OWNER)
    link = invited(cast.lab_a, cast.theo, "second-self@example.com", "owner")
    anna.post(address(cast, cast.theo, "remove"))
    assert "no longer works" in text_of(Client().get(link, follow=True))


@pytest.fixture
def second_owner(cast: Cast) -> User:
    """Theo, who made a key and invited a second self."""
    add_member(lab=cast.lab_a, user=cast.theo, role=Role.OWNER)
    return cast.theo


@pytest.mark.parametrize("role", ["technician", "viewer"])
def test_keys_and_invitations_end_with_an_owners_role(cast: Cast, anna: Client, second_owner: User, role: str) -> None:
    theo, (_, key) = signed_in(second_owner), make_key(lab=cast.lab_a, name="Theo's", by=second_owner)
    _, annas = make_key(lab=cast.lab_a, name="Anna's", by=cast.anna)
    link = invited(cast.lab_a, second_owner, "second-self@example.com", "owner")
    page = text_of(anna.post(address(cast, second_owner), {"role": role}, follow=True))
    assert "Ended: 1 API key, 1 invitation." in page
    assert (by_key(key), by_key(annas)) == (401, 200)
    assert "no longer works" in text_of(Client().get(link, follow=True))
    assert theo.get("/").context["nav"]["role"] == role


def test_an_owner_who_stays_one_keeps_keys_and_invitations(cast: Cast, anna: Client, second_owner: User) -> None:
    _, key = make_key(lab=cast.lab_a, name="Theo's", by=second_owner)
    link = invited(cast.lab_a, second_owner, "carla@example.com", "owner")
    assert "Ended" not in text_of(anna.post(address(cast, second_owner), {"role": "owner"}, follow=True))
    assert by_key(key) == 200
    assert "no longer works" not in text_of(Client().get(link, follow=True))


def test_the_page_of_an_owner_names_the_keys_that_end_with_the_role(
    cast: Cast, anna: Client, second_owner: User
) -> None:
    assert "open invitations that they sent are withdrawn" in text_of(anna.get(address(cast, second_owner)))
    key, _ = make_key(lab=cast.lab_a, name="Milling room", by=second_owner)
    page = text_of(anna.get(address(cast, second_owner)))
    assert "Milling room" in page
    assert key.prefix in page
    assert "With another role" not in text_of(anna.get(address(cast, cast.vera)))


def test_what_a_removed_person_did_keeps_their_name(cast: Cast, anna: Client) -> None:
    case = make_order(cast.lab_a, make_pairing(cast.lab_a))
    signed_in(cast.theo).get(f"/cases/{case.pk}")
    anna.post(address(cast, cast.theo, "remove"))
    assert "Theo" in text_of(anna.get(f"/cases/{case.pk}"))


def test_a_changed_role_counts_from_the_next_click_on(cast: Cast, anna: Client) -> None:
    case = make_order(cast.lab_a, make_pairing(cast.lab_a))
    theo = signed_in(cast.theo)
    assert theo.post(f"/cases/{case.pk}/workflow", {"workflow": "in_work"}).status_code == 302
    assert "Saved" in text_of(anna.post(address(cast, cast.theo), {"role": "viewer"}, follow=True))
    assert theo.post(f"/cases/{case.pk}/workflow", {"workflow": "done"}).status_code == 403


def test_changed_connections_count_from_the_next_click_on(cast: Cast, anna: Client) -> None:
    first, second = make_pairing(cast.lab_a, "p1"), make_pairing(cast.lab_a, "p2")
    case = make_order(cast.lab_a, second)
    theo = signed_in(cast.theo)
    assert theo.get(f"/cases/{case.pk}").status_code == 200
    anna.post(address(cast, cast.theo), {"role": "technician", "which": "some", "pairings": [str(first.pk)]})
    assert theo.get(f"/cases/{case.pk}").status_code == 404
    anna.post(address(cast, cast.theo), {"role": "technician", "which": "all"})
    assert theo.get(f"/cases/{case.pk}").status_code == 200


@pytest.mark.parametrize(
    ("act", "form"), [("", {"role": "viewer"}), ("suspend", {}), ("remove", {})], ids=["demote", "suspend", "remove"]
)
def test_the_last_owner_stays_the_owner(cast: Cast, anna: Client, act: str, form: dict[str, str]) -> None:
    page = anna.post(address(cast, cast.anna, act), form, follow=True)
    assert "This is the lab's only owner" in text_of(page)
    kept = the(membership_of(cast.lab_a, cast.anna))
    assert (kept.role, kept.suspended_at) == (Role.OWNER, None)


def test_the_last_owner_can_not_leave(cast: Cast, anna: Client) -> None:
    assert "This is the lab's only owner" in text_of(anna.post("/people/leave", follow=True))
    assert membership_of(cast.lab_a, cast.anna) is not None


def test_a_suspended_owner_does_not_count_as_one(cast: Cast) -> None:
    second = add_member(lab=cast.lab_a, user=cast.theo, role=Role.OWNER)
    members.suspend(membership=second)
    with pytest.raises(members.LastOwner):
        members.remove(membership=the(membership_of(cast.lab_a, cast.anna)))


def test_with_a_second_owner_the_first_may_go(cast: Cast, anna: Client) -> None:
    add_member(lab=cast.lab_a, user=cast.theo, role=Role.OWNER)
    answer = anna.post("/people/leave", follow=True)
    assert "You have left Lab A." in text_of(answer)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    assert membership_of(cast.lab_a, cast.anna) is None


def test_anybody_may_leave_and_their_sessions_end(cast: Cast) -> None:
    vera, elsewhere = signed_in(cast.vera), signed_in(cast.vera)
    assert "Leave Lab A" in text_of(vera.get("/people/leave"))
    vera.post("/people/leave")
    assert elsewhere.get("/")["Location"].startswith("/accounts/login/")
    assert not UserSession.objects.filter(user=cast.vera).exists()


def test_who_left_can_be_invited_again(cast: Cast, anna: Client) -> None:
    anna.post(address(cast, cast.theo, "remove"))
    anna.post("/people/invite", {"email": cast.theo.email, "role": "viewer"})
    theo = signed_in(cast.theo)
    theo.get(link_in(mail.outbox[-1]))
    theo.post("/join/")
    assert the(membership_of(cast.lab_a, cast.theo)).role == Role.VIEWER


def test_when_somebody_was_last_seen_is_noted(cast: Cast, anna: Client) -> None:
    assert the(membership_of(cast.lab_a, cast.theo)).last_seen_at is None
    signed_in(cast.theo).get("/")
    assert the(membership_of(cast.lab_a, cast.theo)).last_seen_at is not None


def test_a_second_click_within_five_minutes_writes_nothing(cast: Cast) -> None:
    theo = signed_in(cast.theo)
    theo.get("/")
    first = the(membership_of(cast.lab_a, cast.theo)).last_seen_at
    theo.get("/")
    assert the(membership_of(cast.lab_a, cast.theo)).last_seen_at == first


def test_a_strangers_moment_at_an_open_screen_changes_nobodys_access(cast: Cast, anna: Client) -> None:
    """What changes access asks again who it is, unless that was shown lately."""
    session = anna.session
    session["account_authentication_methods"] = [{"method": "password", "at": 0.0, "reauthenticated": True}]
    session.save()
    for act, form in (("", {"role": "viewer"}), ("suspend", {}), ("remove", {})):
        answer = anna.post(address(cast, cast.theo, act), form)
        assert answer["Location"].startswith("/accounts/reauthenticate/"), act
    assert anna.post("/people/invite", {"email": "x@example.com", "role": "owner"}).status_code == 302
    assert mail.outbox == []
    kept = the(membership_of(cast.lab_a, cast.theo))
    assert (kept.role, kept.suspended_at) == (Role.TECHNICIAN, None)
