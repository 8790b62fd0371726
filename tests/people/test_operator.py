"""What the operator changes about people goes through the same verbs: nothing stays open, no lab loses its owner."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.management import call_command
from django.test import Client

from connector.lms.services import make_key
from labportal.audit.models import Entry
from labportal.labs.management.commands import createlab
from labportal.labs.models import Lab, Role, User
from labportal.labs.routers import as_operator
from labportal.labs.services import add_member, create_person
from labportal.labs.tenancy import in_lab
from tests.cast import PASSWORD, Cast
from tests.orders.pages import text_of
from tests.people.conftest import membership_of, the
from tests.people.test_leaving import by_key, signed_in


@pytest.fixture
def olga(committed: None, cast: Cast, client_of: Callable[[User], Client]) -> Client:
    return client_of(cast.olga)


def page_of(cast: Cast, user: User) -> str:
    return f"/admin/labs/membership/{the(membership_of(cast.lab_a, user)).pk}"


def person_form(user: User, **changes: str) -> dict[str, str]:
    return {"email": user.email, "name": user.name, "is_active": "on"} | changes


def test_a_person_who_is_removed_in_the_admin_site_is_out_at_once(olga: Client, cast: Cast) -> None:
    theo = signed_in(cast.theo)
    _, key = make_key(lab=cast.lab_a, name="Theo's", by=cast.theo)
    assert olga.post(f"{page_of(cast, cast.theo)}/delete/", {"post": "yes"}).status_code == 302
    assert theo.get("/")["Location"].startswith("/accounts/login/")
    assert by_key(key) == 401


def test_keys_of_an_owner_who_is_demoted_in_the_admin_site_end(olga: Client, cast: Cast) -> None:
    add_member(lab=cast.lab_a, user=cast.nina, role=Role.OWNER)
    _, key = make_key(lab=cast.lab_a, name="Nina's", by=cast.nina)
    assert olga.post(f"{page_of(cast, cast.nina)}/change/", {"role": "viewer"}).status_code == 302
    assert by_key(key) == 401


def test_the_last_owner_is_not_removed_in_the_admin_site(olga: Client, cast: Cast) -> None:
    page = olga.post(f"{page_of(cast, cast.anna)}/delete/", {"post": "yes"}, follow=True)
    assert "This is the lab's only owner" in text_of(page)
    assert membership_of(cast.lab_a, cast.anna) is not None


def test_the_last_owner_is_not_demoted_in_the_admin_site(olga: Client, cast: Cast) -> None:
    page = olga.post(f"{page_of(cast, cast.anna)}/change/", {"role": "viewer"}, follow=True)
    assert "This is the lab's only owner" in text_of(page)
    assert "was changed successfully" not in text_of(page)
    assert the(membership_of(cast.lab_a, cast.anna)).role == Role.OWNER


def test_a_lab_changes_hands_on_its_own_page(olga: Client, cast: Cast) -> None:
    anna, theo = (the(membership_of(cast.lab_a, user)) for user in (cast.anna, cast.theo))
    form = {
        "name": "Lab A", "slug": "lab-a", "time_zone": "Europe/Oslo", "tooth_notation": "fdi",
        "members-TOTAL_FORMS": "2", "members-INITIAL_FORMS": "2",
        "members-0-id": str(anna.pk), "members-0-lab": str(cast.lab_a.pk), "members-0-user": str(cast.anna.pk),
        "members-0-role": "viewer",
        "members-1-id": str(theo.pk), "members-1-lab": str(cast.lab_a.pk), "members-1-user": str(cast.theo.pk),
        "members-1-role": "owner",
    }  # fmt: skip
    assert olga.post(f"/admin/labs/lab/{cast.lab_a.pk}/change/", form).status_code == 302
    assert the(membership_of(cast.lab_a, cast.anna)).role == Role.VIEWER
    assert the(membership_of(cast.lab_a, cast.theo)).role == Role.OWNER


def test_a_form_that_would_take_the_last_owner_changes_nothing_else(olga: Client, cast: Cast) -> None:
    anna = the(membership_of(cast.lab_a, cast.anna))
    form = {
        "name": "Renamed", "slug": "lab-a", "time_zone": "Europe/Oslo", "tooth_notation": "fdi",
        "members-TOTAL_FORMS": "1", "members-INITIAL_FORMS": "1",
        "members-0-id": str(anna.pk), "members-0-lab": str(cast.lab_a.pk), "members-0-user": str(cast.anna.pk),
        "members-0-role": "owner", "members-0-DELETE": "on",
    }  # fmt: skip
    page = olga.post(f"/admin/labs/lab/{cast.lab_a.pk}/change/", form, follow=True)
    assert "This is the lab's only owner" in text_of(page)
    with as_operator():
        assert Lab.objects.get(pk=cast.lab_a.pk).name == "Lab A"


def test_the_operator_suspends_and_lets_in_again(olga: Client, cast: Cast) -> None:
    theo = signed_in(cast.theo)
    chosen = {"_selected_action": str(the(membership_of(cast.lab_a, cast.theo)).pk)}
    olga.post("/admin/labs/membership/", {"action": "suspend", **chosen})
    assert theo.get("/")["Location"].startswith("/accounts/login/")
    olga.post("/admin/labs/membership/", {"action": "let_in_again", **chosen})
    assert signed_in(cast.theo).get("/").status_code == 200


def test_who_is_given_a_new_address_is_not_reached_by_the_old_one(olga: Client, cast: Cast, mailoutbox: Any) -> None:
    carla = create_person(email="carla@example.com", password=PASSWORD, name="Carla")
    signed_in(carla)
    EmailAddress.objects.update_or_create(user=carla, email=carla.email, defaults={"verified": True, "primary": True})
    form = person_form(carla, email="Carla.New@example.com")
    assert olga.post(f"/admin/labs/user/{carla.pk}/change/", form).status_code == 302
    rows = EmailAddress.objects.filter(user=carla).values_list("email", "primary", "verified")
    assert list(rows) == [("carla.new@example.com", True, False)]
    assert [(mail.to, "carla.new@example.com" in str(mail.body)) for mail in mailoutbox] == [([carla.email], True)]
    mailoutbox.clear()
    Client().post("/accounts/password/reset/", {"email": "carla@example.com"})
    assert not any("/accounts/password/reset/key/" in str(mail.body) for mail in mailoutbox)
    Client().post("/accounts/password/reset/", {"email": "carla.new@example.com"})
    assert any("/accounts/password/reset/key/" in str(mail.body) for mail in mailoutbox)


def test_a_log_in_that_the_operator_closes_ends_sessions_and_keys(olga: Client, cast: Cast) -> None:
    theo = signed_in(cast.theo)
    _, key = make_key(lab=cast.lab_a, name="Theo's", by=cast.theo)
    form = person_form(cast.theo)
    del form["is_active"]
    assert olga.post(f"/admin/labs/user/{cast.theo.pk}/change/", form).status_code == 302
    try:
        assert theo.get("/")["Location"].startswith("/accounts/login/")
        assert by_key(key) == 401
    finally:
        User.objects.filter(pk=cast.theo.pk).update(is_active=True)


def test_the_command_makes_lab_and_owner_together_or_neither(
    committed: None, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(createlab, "add_member", fails)
    monkeypatch.setattr("builtins.input", lambda: PASSWORD)
    with pytest.raises(ZeroDivisionError):
        call_command("createlab", "Lab C", "carla@example.com", password_stdin=True)
    assert not User.objects.filter(email="carla@example.com").exists()
    with as_operator():
        assert not Lab.objects.filter(slug="lab-c").exists()


def test_what_an_owner_does_with_people_is_in_the_labs_audit(
    committed: None, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    with in_lab(cast.lab_a.pk):
        before = set(Entry.objects.values_list("pk", flat=True))
    anna = client_of(cast.anna)
    person = f"/people/{the(membership_of(cast.lab_a, cast.theo)).pk}"
    anna.post("/people/invite", {"email": "carla@example.com", "role": "viewer"})
    anna.post(person, {"role": "viewer"})
    anna.post(f"{person}/suspend")
    anna.post(f"{person}/resume")
    anna.post(f"{person}/remove")
    with in_lab(cast.lab_a.pk):
        new = Entry.objects.exclude(pk__in=before).filter(chain=cast.lab_a.pk, actor_id=cast.anna.pk)
        done = list(new.values_list("action", flat=True))
        kept = str(list(new.values()))
    for action in ("invitation.made", "member.changed", "member.suspended", "member.let_in_again", "member.removed"):
        assert action in done
    assert "carla" not in kept
