"""At the link: new people and known ones, the right person and the wrong one, once and never twice."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from connector.pairing.models import Pairing
from labportal.labs.models import Role, User
from labportal.labs.sessions import COMPANY
from labportal.labs.tenancy import in_lab
from labportal.people.models import Invitation
from labportal.people.tokens import token_hash
from tests.cast import PASSWORD, Cast
from tests.orders.make import make_order
from tests.orders.pages import rows, text_of
from tests.people.conftest import invited, membership_of, the

pytestmark = pytest.mark.django_db
NEW = {"act": "new", "name": "Carla Conti", "password1": PASSWORD, "password2": PASSWORD}


def open_link(link: str, client: Client | None = None) -> tuple[Client, Any]:
    client = client or Client()
    return client, client.get(link, follow=True)


def test_a_new_person_sets_name_and_password_and_is_in(cast: Cast) -> None:
    client, page = open_link(invited(cast.lab_a, cast.anna))
    assert "Join Lab A" in text_of(page)
    answer = client.post("/join/", NEW, follow=True)
    assert answer.redirect_chain[-1][0] == "/"
    assert "Welcome to Lab A." in text_of(answer)
    carla = User.objects.get(email="carla@example.com")
    assert (carla.name, carla.check_password(PASSWORD), carla.is_staff) == ("Carla Conti", True, False)
    assert the(membership_of(cast.lab_a, carla)).role == Role.TECHNICIAN


def test_the_link_proves_a_new_persons_address(cast: Cast) -> None:
    client, _ = open_link(invited(cast.lab_a, cast.anna))
    client.post("/join/", NEW)
    address = EmailAddress.objects.get(user__email="carla@example.com")
    assert (address.verified, address.primary) == (True, True)


def test_the_address_with_the_token_is_left_at_once_and_told_to_nobody(cast: Cast) -> None:
    answer = Client().get(invited(cast.lab_a, cast.anna))
    assert (answer.status_code, answer["Location"]) == (302, "/join/")
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "no-store"


def test_looking_at_the_link_uses_nothing_up(cast: Cast) -> None:
    """Mail scanners look too."""
    link = invited(cast.lab_a, cast.anna)
    for _ in range(3):
        open_link(link)
    client, _ = open_link(link)
    assert client.post("/join/", NEW, follow=True).redirect_chain[-1][0] == "/"


def test_a_link_works_once(cast: Cast) -> None:
    link = invited(cast.lab_a, cast.anna)
    first, _ = open_link(link)
    second, _ = open_link(link)
    first.post("/join/", NEW)
    assert "no longer works" in text_of(second.post("/join/", NEW | {"name": "Somebody Else"}))
    assert "no longer works" in text_of(open_link(link)[1])
    assert User.objects.filter(email="carla@example.com").count() == 1


def test_an_old_link_opens_nothing(cast: Cast) -> None:
    link = invited(cast.lab_a, cast.anna)
    with in_lab(cast.lab_a.pk):
        Invitation.objects.of(cast.lab_a).update(expires_at=timezone.now() - timedelta(seconds=1))
    client, page = open_link(link)
    assert "no longer works" in text_of(page)
    assert client.post("/join/", NEW).status_code == 404
    assert not User.objects.filter(email="carla@example.com").exists()


def test_a_guessed_link_opens_nothing(cast: Cast) -> None:
    invited(cast.lab_a, cast.anna)
    assert "no longer works" in text_of(open_link("/join/" + "x" * 43)[1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"password2": "another long one"}, "differ"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"password1": "password123", "password2": "password123"}, "too common"),
        ({"name": ""}, "required"),
    ],
)
def test_a_weak_form_is_refused_in_words(cast: Cast, changes: dict[str, str], words: str) -> None:
    client, _ = open_link(invited(cast.lab_a, cast.anna))
    assert words in text_of(client.post("/join/", NEW | changes))
    assert not User.objects.filter(email="carla@example.com").exists()


def test_the_page_is_the_same_whether_the_address_has_a_log_in(cast: Cast) -> None:
    _, known = open_link(invited(cast.lab_a, cast.anna, "nina@example.com"))
    _, unknown = open_link(invited(cast.lab_a, cast.anna, "carla@example.com"))
    assert text_of(known).replace("nina", "…") == text_of(unknown).replace("carla", "…")


def test_a_known_person_signs_in_and_joins(cast: Cast) -> None:
    client, _ = open_link(invited(cast.lab_a, cast.anna, "nina@example.com", "viewer"))
    answer = client.post("/accounts/login/?next=/join/", {"login": "nina@example.com", "password": PASSWORD})
    assert answer["Location"] == "/join/"
    assert "Join Lab A" in text_of(client.get("/join/"))
    assert "Welcome to Lab A." in text_of(client.post("/join/", follow=True))
    assert the(membership_of(cast.lab_a, cast.nina)).role == Role.VIEWER


def test_a_known_persons_password_is_not_changed_through_the_link(cast: Cast) -> None:
    client, _ = open_link(invited(cast.lab_a, cast.anna, "nina@example.com"))
    other = {"password1": "a stranger's choice", "password2": "a stranger's choice"}
    assert "There is a log-in for this address already" in text_of(client.post("/join/", NEW | other))
    cast.nina.refresh_from_db()
    assert cast.nina.check_password(PASSWORD)
    assert membership_of(cast.lab_a, cast.nina) is None


def test_another_person_can_not_take_up_the_invitation(cast: Cast, client_of: Any) -> None:
    client, page = open_link(invited(cast.lab_a, cast.anna), client_of(cast.bruno))
    assert "This link is for another address" in text_of(page)
    client.post("/join/")
    client.post("/join/", NEW)
    assert membership_of(cast.lab_a, cast.bruno) is None
    assert not User.objects.filter(email="carla@example.com").exists()


def test_a_person_of_one_lab_joins_a_second_and_can_switch(cast: Cast, client_of: Any) -> None:
    bruno = client_of(cast.bruno)
    open_link(invited(cast.lab_a, cast.anna, "bruno@example.com"), bruno)
    page = bruno.post("/join/", follow=True)
    assert page.context["nav"]["lab_name"] == "Lab A"
    assert {lab["slug"] for lab in page.context["nav"]["labs"]} == {"lab-a", "lab-b"}
    assert bruno.post("/labs/switch", {"lab": "lab-b"}, follow=True).context["nav"]["lab_name"] == "Lab B"


def test_who_joins_for_some_connections_sees_their_cases_only(cast: Cast, two: tuple[Pairing, Pairing]) -> None:
    make_order(cast.lab_a, two[0], "theirs")
    make_order(cast.lab_a, two[1], "others")
    client, _ = open_link(invited(cast.lab_a, cast.anna, pairings=[two[0].pk]))
    assert rows(client.post("/join/", NEW, follow=True)) == ["theirs"]


def test_who_tries_many_links_is_stopped(cast: Cast, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"join": "2/m/ip"}
    client, _ = open_link(invited(cast.lab_a, cast.anna))
    assert [client.post("/join/", NEW | {"name": ""}).status_code for _ in range(3)] == [200, 200, 429]


def test_the_database_shows_an_invitation_before_a_lab_is_known_only_to_its_token(cast: Cast) -> None:
    token = invited(cast.lab_a, cast.anna).removeprefix("/join/")
    invited(cast.lab_a, cast.anna, "dora@example.com")
    with transaction.atomic(), connection.cursor() as cursor:
        assert Invitation.objects.count() == 0
        cursor.execute("SELECT set_config('app.invitation', %s, true)", [token_hash(token)])
        assert [found.email for found in Invitation.objects.all()] == ["carla@example.com"]
        assert Invitation.objects.update(role="owner") == 0
        cursor.execute("SELECT set_config('app.invitation', '', true)")


def test_who_came_in_by_a_labs_own_provider_takes_up_no_invitation(cast: Cast, client_of: Any) -> None:
    """The provider of lab B says who they are; its word counts in lab B alone."""
    bruno = client_of(cast.bruno)
    session = bruno.session
    session[COMPANY] = str(cast.lab_b.pk)
    session.save()
    _, page = open_link(invited(cast.lab_a, cast.anna, "bruno@example.com"), bruno)
    assert "You came in by your company" in text_of(page)
    assert bruno.post("/join/").status_code == 403
    assert membership_of(cast.lab_a, cast.bruno) is None
