"""A lab that signs up by itself: only where a setting allows it, by a proven address, telling strangers nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.test import Client
from django.utils import timezone

from labportal.labs.models import Lab, Membership, Role, User
from labportal.labs.tenancy import in_lab, name_lab
from labportal.people import sign_ups
from labportal.people.models import SignUp
from labportal.people.sign_ups import ask_for_lab
from tests.cast import PASSWORD, Cast
from tests.orders.pages import text_of
from tests.people.conftest import link_in, membership_of, the

pytestmark = pytest.mark.django_db
ASKED = {"lab_name": "Fjord Dental", "email": "carla@example.com", "time_zone": "Europe/Oslo"}
NEW = {"act": "new", "name": "Carla", "password1": PASSWORD, "password2": PASSWORD}


@pytest.fixture
def allowed(settings: Any) -> None:
    settings.LAB_SIGN_UP = True


def asked(email: str = "carla@example.com", lab_name: str = "Fjord Dental") -> str:
    ask_for_lab(email=email, lab_name=lab_name, time_zone="Europe/Oslo")
    return link_in(mail.outbox[-1])


def their_lab(user: User) -> Lab:
    with transaction.atomic():
        name_lab(None, user.pk)
        found = Membership.objects.select_related("lab").get(user=user)
        name_lab(None, None)
    assert found.role == Role.OWNER
    return found.lab


@pytest.mark.parametrize("path", ["/sign-up/", "/sign-up/open", "/sign-up/" + "x" * 43])
def test_where_it_is_not_allowed_there_is_no_such_page(cast: Cast, path: str) -> None:
    assert Client().get(path).status_code == 404
    assert "Open your lab" not in text_of(Client().get("/accounts/login/"))


def test_where_it_is_not_allowed_nothing_can_be_asked_for(cast: Cast) -> None:
    assert Client().post("/sign-up/", ASKED).status_code == 404
    assert not SignUp.objects.exists()


def test_the_log_in_page_leads_there_where_it_is_allowed(cast: Cast, allowed: None) -> None:
    assert "Open your lab" in text_of(Client().get("/accounts/login/"))


def test_asking_makes_nothing_but_a_mail(cast: Cast, allowed: None) -> None:
    assert "Look into your mail" in text_of(Client().post("/sign-up/", ASKED))
    assert mail.outbox[0].to == ["carla@example.com"]
    assert not User.objects.filter(email="carla@example.com").exists()


def test_the_answer_is_the_same_for_an_address_that_has_a_log_in(cast: Cast, allowed: None) -> None:
    unknown = Client().post("/sign-up/", ASKED)
    known = Client().post("/sign-up/", ASKED | {"email": "anna@example.com"})
    assert (known.status_code, text_of(known)) == (unknown.status_code, text_of(unknown))
    said = [str(m.body).replace(m.to[0], "…").replace(link_in(m), "…") for m in mail.outbox]
    assert said[0] == said[1]


def test_the_link_opens_person_lab_and_membership_together(cast: Cast, allowed: None) -> None:
    client = Client()
    page = client.get(asked(), follow=True)
    assert "Join Fjord Dental" in text_of(page)
    answer = client.post("/sign-up/open", NEW, follow=True)
    assert answer.context["nav"]["lab_name"] == "Fjord Dental"
    carla = User.objects.get(email="carla@example.com")
    lab = their_lab(carla)
    assert (lab.slug, lab.time_zone) == ("fjord-dental", "Europe/Oslo")
    assert not SignUp.objects.exists()


def test_a_person_with_a_log_in_opens_a_second_lab(cast: Cast, allowed: None, client_of: Any) -> None:
    anna = client_of(cast.anna)
    anna.get(asked("anna@example.com"))
    page = anna.post("/sign-up/open", follow=True)
    assert {lab["name"] for lab in page.context["nav"]["labs"]} == {"Lab A", "Fjord Dental"}


def test_a_lab_may_have_the_name_of_another_one(cast: Cast, allowed: None) -> None:
    client = Client()
    client.get(asked(lab_name="Lab A"))
    assert client.post("/sign-up/open", NEW, follow=True).context["nav"]["lab_name"] == "Lab A"
    lab = their_lab(User.objects.get(email="carla@example.com"))
    assert lab.pk != cast.lab_a.pk
    assert lab.slug.startswith("lab-a-")


def test_the_link_works_once(cast: Cast, allowed: None) -> None:
    link = asked()
    first, second = Client(), Client()
    first.get(link)
    second.get(link)
    first.post("/sign-up/open", NEW)
    assert "no longer works" in text_of(second.post("/sign-up/open", NEW))
    assert "no longer works" in text_of(Client().get(link, follow=True))


def test_an_old_link_opens_nothing_and_is_forgotten(cast: Cast, allowed: None) -> None:
    link = asked()
    SignUp.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "no longer works" in text_of(Client().get(link, follow=True))
    asked("dora@example.com")
    assert [row.email for row in SignUp.objects.all()] == ["dora@example.com"]


def test_when_the_lab_can_not_be_made_neither_is_the_person(cast: Cast, allowed: None, monkeypatch: Any) -> None:
    """One step: a person without their lab would be a log-in that leads nowhere."""

    def fails(sign_up: SignUp) -> Lab:
        raise ZeroDivisionError

    monkeypatch.setattr(sign_ups, "_lab", fails)
    client = Client(raise_request_exception=False)
    client.get(asked())
    assert client.post("/sign-up/open", NEW).status_code == 500
    assert not User.objects.filter(email="carla@example.com").exists()
    assert SignUp.objects.exists()


def test_another_person_can_not_open_it(cast: Cast, allowed: None, client_of: Any) -> None:
    bruno = client_of(cast.bruno)
    bruno.get(asked())
    assert "This link is for another address" in text_of(bruno.post("/sign-up/open"))
    assert SignUp.objects.exists()


def test_many_mails_to_one_address_are_stopped(cast: Cast, allowed: None) -> None:
    assert [Client().post("/sign-up/", ASKED).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert len(mail.outbox) == 3


def test_the_settings_page_changes_the_lab(cast: Cast, anna: Client) -> None:
    form = {"name": "Lab Alpha", "time_zone": "Europe/Berlin", "tooth_notation": "universal"}
    assert anna.post("/settings/", form, follow=True).context["nav"]["lab_name"] == "Lab Alpha"
    with in_lab(cast.lab_a.pk):
        lab = Lab.objects.get(pk=cast.lab_a.pk)
    assert (lab.time_zone, lab.tooth_notation, lab.slug) == ("Europe/Berlin", "universal", "lab-a")


@pytest.mark.parametrize("changes", [{"time_zone": "Europe/Olso"}, {"tooth_notation": "none"}, {"name": ""}])
def test_settings_that_would_break_pages_are_refused(cast: Cast, anna: Client, changes: dict[str, str]) -> None:
    form = {"name": "Lab Alpha", "time_zone": "Europe/Berlin", "tooth_notation": "fdi"} | changes
    assert anna.post("/settings/", form).status_code == 200
    assert the(membership_of(cast.lab_a, cast.anna)).lab.name == "Lab A"
