"""The links of our mails, opened by people of another lab and of none: they lead into the opener's own lab, or nowhere.

No mail links to a case. An invitation's token lets whoever holds it see the invitation; what it does not open is here.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.break_glass.services import begin
from connector.pairing import alarms
from connector.pairing.models import State
from labportal.people import invitations
from tests.align import change
from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.world import World, fingerprint
from tests.mails import Mails, mails  # noqa: F401 - a fixture

KINDS = {"/join/", "/connections/", "/audit/"}


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


@pytest.fixture
def links(worlds: Worlds, cast: Cast, mails: Mails) -> list[str]:  # noqa: F811 - the fixture
    """Of one mail of each kind, sent for lab A."""
    world = worlds[0]
    invitations.invite(lab=cast.lab_a, email="new@example.com", role="viewer", pairings=None, by=cast.anna)
    change(world.pairing, state=State.NEEDS_PAIRING, reason="refused", reason_at=timezone.now())
    alarms.look(cast.lab_a.pk, world.pairing.pk)
    begin(lab=cast.lab_a, by=cast.olga, reason="Anna asked: ticket 4711", minutes=15)
    found = [urlsplit(link) for link in re.findall(r"https?://\S+", mails.text())]
    return [f"{link.path}?{link.query}".rstrip("?") for link in found]


def of_lab_a(world: World, body: str) -> list[str]:
    return [word for word in (world.mark, *world.ids().values()) if len(word) > 3 and word in body]


def opened(client: Client, link: str) -> Any:
    return client.get(link, follow=True)


def test_each_kind_of_mail_has_its_link(links: list[str]) -> None:
    """A new kind: say in KINDS what it opens, and to whom."""
    assert {f"/{link.split('/')[1]}/" for link in links} == KINDS


def test_nobody_of_another_lab_sees_a_row_of_this_one(
    worlds: Worlds, links: list[str], cast: Cast, client_of: Any
) -> None:
    before = fingerprint(cast.lab_a.pk)
    for visitor in (client_of(cast.bruno), client_of(cast.nina), Client()):
        for link in links:
            assert of_lab_a(worlds[0], opened(visitor, link).content.decode()) == [], link
    assert fingerprint(cast.lab_a.pk) == before


def test_control_its_own_owner_sees_them(worlds: Worlds, links: list[str], cast: Cast, client_of: Any) -> None:
    anna = client_of(cast.anna)
    plain = [link for link in links if not link.startswith("/join/")]
    assert all(of_lab_a(worlds[0], opened(anna, link).content.decode()) for link in plain)


def test_a_link_to_a_page_opens_ones_own_lab(links: list[str], cast: Cast, client_of: Any) -> None:
    bruno = client_of(cast.bruno)
    for link in links:
        if not link.startswith("/join/"):
            page = opened(bruno, link).content.decode()
            assert "Lab B" in page
            assert "Lab A" not in page


def test_an_invitation_for_somebody_else_is_not_taken_up(links: list[str], cast: Cast, client_of: Any) -> None:
    (link,) = [link for link in links if link.startswith("/join/")]
    before = fingerprint(cast.lab_a.pk)
    for person in (cast.bruno, cast.nina):
        visitor = client_of(person)
        opened(visitor, link)
        visitor.post(reverse("invitation"), {"act": "join"}, follow=True)
        assert "Lab A" not in visitor.get("/connections/").content.decode()
    assert fingerprint(cast.lab_a.pk) == before


def test_another_token_is_like_none(links: list[str], cast: Cast, client_of: Any) -> None:
    (link,) = [link for link in links if link.startswith("/join/")]
    token = link.strip("/").rpartition("/")[2]
    bruno = client_of(cast.bruno)
    answers = [opened(bruno, link.replace(token, other)) for other in (token[::-1], token[:-1] + "_", "x" * len(token))]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
