"""A person changes their address: it counts when it is proven, whoever made the log-in."""

import re
from typing import Any

import pytest
from django.test import Client

from labportal.labs.models import User
from tests.cast import Cast
from tests.signin.conftest import log_in

FIRST, SECOND = "first@lab-b.example", "second@lab-b.example"


@pytest.fixture
def theo(cast: Cast) -> Client:
    """Made by the operator: his address was never proven."""
    return log_in(cast.theo)


def send(client: Client, act: str, email: str) -> None:
    assert client.post("/accounts/email/", {act: "", "email": email}).status_code == 302
    client.get("/accounts/email/")


WAYS = {
    "asked for": [("action_add", FIRST)],
    "asked for twice": [("action_add", FIRST), ("action_add", SECOND)],
    "asked for again": [("action_add", FIRST), ("action_add", SECOND), ("action_add", FIRST)],
    "made the first one": [("action_add", FIRST), ("action_primary", FIRST)],
    "left alone": [("action_add", FIRST), ("action_remove", "theo")],
}


@pytest.mark.parametrize("way", WAYS)
def test_an_address_that_nobody_proved_opens_no_log_in(theo: Client, cast: Cast, way: str) -> None:
    for act, email in WAYS[way]:
        send(theo, act, cast.theo.email if email == "theo" else email)
    assert User.objects.get(pk=cast.theo.pk).email == cast.theo.email


@pytest.mark.parametrize("way", ["asked for", "asked for twice"])
def test_the_link_in_the_mail_makes_it_count(theo: Client, cast: Cast, way: str, mailoutbox: Any) -> None:
    for act, email in WAYS[way]:
        send(theo, act, email)
    asked = WAYS[way][-1][1]
    (mail,) = [mail for mail in mailoutbox if mail.to == [asked]]
    link = re.search(r"/accounts/confirm-email/\S+", str(mail.body))
    assert link
    theo.post(link[0])
    assert User.objects.get(pk=cast.theo.pk).email == asked


def test_a_change_that_waits_can_be_left(theo: Client, cast: Cast) -> None:
    send(theo, "action_add", FIRST)
    send(theo, "action_remove", FIRST)
    assert FIRST not in theo.get("/accounts/email/").content.decode()
    assert User.objects.get(pk=cast.theo.pk).email == cast.theo.email
