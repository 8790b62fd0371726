"""What a password may be, and how it is changed."""

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher
from django.core import mail
from django.test import Client

from labportal.labs.models import Role, User
from labportal.labs.services import add_member, create_person
from tests.cast import PASSWORD, Cast

pytestmark = pytest.mark.usefixtures("committed")
LONG = "a long sentence without any digit, ÄÖÜ and 漢字 in it; nobody needs a capital " * 2


@pytest.fixture
def petra(cast: Cast) -> User:
    """None of the cast: their passwords stay."""
    person = create_person(email="petra@example.com", password=PASSWORD, name="Petra")
    add_member(lab=cast.lab_a, user=person, role=Role.VIEWER)
    return person


def signs_in(password: str) -> bool:
    answer = Client().post("/accounts/login/", {"login": "petra@example.com", "password": password})
    return answer.status_code == 302


def change(client: Client, old: str, new: str) -> Any:
    form = {"oldpassword": old, "password1": new, "password2": new}
    return client.post("/accounts/password/change/", form)


def test_a_change_needs_the_password_of_now(petra: User, client_of: Any) -> None:
    visitor = client_of(petra)
    change(visitor, "not the password", "another fine password")
    assert signs_in(PASSWORD)
    change(visitor, PASSWORD, "another fine password")
    assert signs_in("another fine password")


def test_any_letters_and_more_than_a_hundred_of_them_are_taken_as_they_are(petra: User, client_of: Any) -> None:
    assert len(LONG) > 128
    change(client_of(petra), PASSWORD, LONG.strip())
    assert signs_in(LONG.strip())
    assert not signs_in(LONG.strip()[:128])
    assert not signs_in(LONG.strip().lower())


def test_a_password_manager_can_fill_in_what_nobody_else_can_read() -> None:
    page = Client().get("/accounts/login/").content.decode()
    [field] = re.findall(r"<input[^>]*name=\"password\"[^>]*>", page)
    assert 'type="password"' in field
    assert 'autocomplete="current-password"' in field
    assert "onpaste" not in page


@pytest.mark.usefixtures("passwords_as_they_run")
def test_it_is_kept_as_a_slow_hash(petra: User) -> None:
    kept = User.objects.get(pk=petra.pk).password
    assert identify_hasher(kept).algorithm == "pbkdf2_sha256"
    assert int(kept.split("$")[1]) >= 600_000


def test_a_link_for_a_new_password_lives_an_hour(petra: User, client: Client) -> None:
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    client.post("/accounts/password/reset/", {"email": "petra@example.com"})
    assert "within an hour" in mail.outbox[-1].body
