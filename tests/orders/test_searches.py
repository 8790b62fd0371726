"""The words of a search stand in no address; what stands there opens them for who searched, and for nobody else."""

import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from connector.orders.searches import KEPT
from labportal.labs.models import Role
from labportal.labs.services import add_member
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.orders.make import make_order
from tests.orders.pages import rows, search, text_of

pytestmark = pytest.mark.django_db
NAME = "Sørensen"


@pytest.fixture
def anna(cast: Cast, pairing: Any, client_of: Any) -> Client:
    for number in range(60):
        make_order(cast.lab_a, pairing, f"N{number:02}", patient_last=NAME if number % 6 == 0 else "Meier")
    client: Client = client_of(cast.anna)
    return client


def address(answer: Any) -> str:
    return f"{answer.request['PATH_INFO']}?{answer.request['QUERY_STRING']}"


def test_the_words_are_in_no_address_of_the_answer(anna: Client) -> None:
    answer = search(anna, "meier", sort="patient", lane="all")
    page = answer.content.decode()
    assert 'value="meier"' in page
    urls = [address(answer), *re.findall(r'(?:href|hx-get|action)="([^"]*)"', page)]
    assert [url for url in urls if "s=" in url]
    assert [url for url in urls if "meier" in url.lower()] == []


def test_the_address_can_be_reloaded_gone_back_to_and_refreshed(anna: Client) -> None:
    first, second = search(anna, NAME), search(anna, "Meier")
    assert rows(anna.get(address(first))) == rows(first) != rows(anna.get(address(second)))
    part = anna.get(first.context["refresh_url"], headers={"HX-Request": "true"})
    assert [row["order_id"] for row in part.context["rows"]] == rows(first)


def test_pages_and_filters_keep_the_search(anna: Client) -> None:
    first = search(anna, "e", sort="due")
    second = anna.get(first.context["next_url"])
    assert second.context["search"]["q"] == "e"
    assert len({*rows(first), *rows(second)}) == 60
    off = {chip["label"]: chip["url"] for chip in second.context["chips"]}["“e”"]
    assert off == "/?sort=due"


def test_the_same_words_have_the_same_address(anna: Client) -> None:
    assert address(search(anna, NAME)) == address(search(anna, f"  {NAME} "))
    assert address(search(anna, "")) == "/?"


def test_an_address_in_a_strangers_hands_shows_nothing(anna: Client, cast: Cast, client_of: Any) -> None:
    kept = address(search(anna, NAME))
    for person in (cast.theo, cast.bruno, cast.anna):  # Anna in another browser is a stranger, too
        answer = client_of(person).get(kept)
        assert rows(answer) == []
        assert "This search is over" in text_of(answer)
        assert NAME not in text_of(answer)


def test_in_another_lab_of_the_same_person_the_search_is_over(anna: Client, cast: Cast) -> None:
    kept = address(search(anna, NAME))
    with in_lab(cast.lab_b.pk):
        add_member(lab=cast.lab_b, user=cast.anna, role=Role.VIEWER)
    anna.post("/labs/switch", {"lab": "lab-b"})
    assert "This search is over" in text_of(anna.get(kept))
    anna.post("/labs/switch", {"lab": "lab-a"})
    assert len(rows(anna.get(kept))) == 10


def test_a_session_keeps_a_few_searches_sealed(anna: Client) -> None:
    kept = [address(search(anna, f"{NAME} {number}")) for number in range(KEPT + 1)]
    assert len(anna.session["searches"]) == KEPT
    assert "This search is over" in text_of(anna.get(kept[0]))
    assert "This search is over" not in text_of(anna.get(kept[1]))
    assert NAME not in str(Session.objects.get(pk=anna.session.session_key).get_decoded())


def test_words_in_an_address_count_for_nothing(anna: Client) -> None:
    assert rows(anna.get("/", {"q": NAME})) == rows(anna.get("/"))
    assert anna.get("/find/", {"q": NAME}).context["q"] == ""


def test_find_my_scan_hands_its_search_on_to_the_inbox(anna: Client) -> None:
    answer = anna.post("/find/", {"q": "Meier"}, follow=True)
    assert "Meier" not in address(answer)
    link = re.search(r'href="(/\?s=[^"]+)"', answer.content.decode())
    assert link
    assert len(rows(anna.get(link[1]))) == 50
