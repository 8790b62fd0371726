"""Keyset pages: every case once, whatever the sort, ties and names; a cursor is not to be played with."""

import base64
import json
import random
import uuid
from datetime import date, timedelta
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from connector.orders.models import Order
from connector.orders.paging import cursor_after, read_cursor
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import rows

pytestmark = pytest.mark.django_db

NAMES = (
    "Sørensen", "Ångström", "Müller-Lüdenscheid", "حداد", "田中", "Émile", "emile", "Zz", "", "O'Neill", '"quoted"',
    "\\back%slash_", "𐐀𐐁", "Ж" * 300, "İstanbul",
)  # fmt: skip


@pytest.fixture
def many(cast, pairing):
    """120 cases with many equal times, due days and names."""
    chance = random.Random(1)
    noon = timezone.now()
    with in_lab(cast.lab_a.pk):
        Order.objects.bulk_create(
            Order(
                lab=cast.lab_a, pairing=pairing, order_id=f"N{number:03}", patient_last=chance.choice(NAMES),
                patient_first=chance.choice(["", "Ada", "Bo", "é" * 300]), latest_number=1,
                received_at=noon - timedelta(minutes=chance.choice([0, 0, 1, 5])),
                due_date=chance.choice([None, None, date(2026, 1, 5), date(2026, 1, 6), date(9999, 12, 31)]),
            )
            for number in range(120)
        )  # fmt: skip
    return {f"N{number:03}" for number in range(120)}


def pages(client, query):
    """Follow "Next page" to the end."""
    answer = client.get("/", query)
    while True:
        yield answer
        if not (url := answer.context["next_url"]):
            return
        answer = client.get(url)


@pytest.mark.parametrize("sort", ["received", "due", "patient"])
def test_the_pages_hold_every_case_once(cast, client_of, many, sort):
    shown = [rows(answer) for answer in pages(client_of(cast.anna), {"sort": sort})]
    assert [len(page) for page in shown] == [50, 50, 20]
    every = [order for page in shown for order in page]
    assert len(every) == len(set(every))
    assert set(every) == many


def test_the_first_page_has_no_way_back_and_the_last_none_forward(cast, client_of, many):
    first, second, third = pages(client_of(cast.anna), {})
    assert (bool(first.context["first_url"]), bool(first.context["next_url"])) == (False, True)
    assert (bool(second.context["first_url"]), bool(second.context["next_url"])) == (True, True)
    assert (bool(third.context["first_url"]), bool(third.context["next_url"])) == (True, False)
    assert "First page" in third.content.decode()


def test_the_newest_come_first(cast, client_of, pairing):
    now = timezone.now()
    for days, name in ((1, "OLD"), (0, "NEW"), (2, "OLDER")):
        make_order(cast.lab_a, pairing, name, received_at=now - timedelta(days=days))
    assert rows(client_of(cast.anna).get("/")) == ["NEW", "OLD", "OLDER"]


def test_the_soonest_due_come_first_and_those_without_a_date_last(cast, client_of, pairing):
    for name, due in (("NEVER", None), ("LATER", date(2027, 1, 2)), ("SOON", date(2027, 1, 1))):
        make_order(cast.lab_a, pairing, name, due_date=due)
    assert rows(client_of(cast.anna).get("/", {"sort": "due"})) == ["SOON", "LATER", "NEVER"]


def test_names_stand_in_the_alphabet_whatever_their_accents_and_capitals(cast, client_of, pairing):
    for last, first in (
        ("Zahn", "A"),
        ("émile", "B"),
        ("Emile", "A"),
        ("Émile", "C"),
        ("Adam", "Z"),
        ("Ångström", "A"),
    ):
        make_order(cast.lab_a, pairing, f"{last} {first}", patient_last=last, patient_first=first)
    shown = rows(client_of(cast.anna).get("/", {"sort": "patient"}))
    assert shown == ["Adam Z", "Ångström A", "Emile A", "émile B", "Émile C", "Zahn A"]


def test_a_case_that_arrives_meanwhile_neither_doubles_nor_hides_another(cast, client_of, pairing, many):
    anna = client_of(cast.anna)
    first = anna.get("/")
    make_order(cast.lab_a, pairing, "JUST-IN")
    second = anna.get(first.context["next_url"])
    assert set(rows(first)) & set(rows(second)) == set()
    assert "JUST-IN" not in rows(second)


def test_a_page_keeps_its_place_when_it_refreshes(cast, client_of, many):
    anna = client_of(cast.anna)
    second = anna.get(anna.get("/", {"sort": "patient"}).context["next_url"])
    again = anna.get(second.context["refresh_url"], headers={"HX-Request": "true"})
    assert [row["id"] for row in again.context["rows"]] == [row["id"] for row in second.context["rows"]]


def sealed(*parts):
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


ANY = "2f0c7c52-5d2e-4f0e-9a61-6f1d6f5b8c11"  # of no case; fixed, since it stands in the names of tests


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "%%%", "====", "AAAA", "é", "\x00", sealed(), sealed("a"), sealed(1, 2), sealed(None, ANY),
        sealed({}, ANY),
        sealed("2026-01-01", "no id"), sealed("2026-01-01", 7), sealed("2026-01-01T00:00:00", ANY),
        sealed("not a day", ANY, "more"), sealed("", ANY), sealed("a\x00b", ANY), sealed("\ud800", ANY), "W" * 5000,
        base64.urlsafe_b64encode(b"[" * 400).decode(), base64.urlsafe_b64encode(b"\xff\xfe\xfd").decode(),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sort", ["received", "due", "patient"])
def test_a_cursor_that_was_tampered_with_never_breaks_the_page(cast, client_of, pairing, cursor, sort):
    make_order(cast.lab_a, pairing, "111")
    answer = client_of(cast.anna).get("/", {"after": cursor, "sort": sort})
    assert answer.status_code == 200
    if read_cursor(cursor, sort) is None:
        assert rows(answer) == ["111"]


@pytest.mark.parametrize("sort", ["received", "due"])
def test_a_cursor_of_another_sort_gives_the_first_page(cast, client_of, many, sort):
    anna = client_of(cast.anna)
    cursor = cursor_after({"key": "müller, ada", "id": uuid.uuid4()})
    assert rows(anna.get("/", {"sort": sort, "after": cursor})) == rows(anna.get("/", {"sort": sort}))


def test_a_cursor_of_another_lab_shows_nothing_of_it(cast, client_of, many):
    cursor = client_of(cast.anna).get("/").context["next_url"]
    assert rows(client_of(cast.bruno).get(cursor)) == []


def test_behind_the_last_case_the_list_leads_back(cast, client_of, pairing):
    make_order(cast.lab_a, pairing, "111")
    cursor = cursor_after({"key": timezone.now() - timedelta(days=999), "id": uuid.uuid4()})
    answer = client_of(cast.anna).get("/", {"after": cursor})
    assert rows(answer) == []
    assert "That was the last case" in answer.content.decode()


def test_no_cursor_carries_a_name(cast, client_of, many):
    """It stands in an address."""
    for answer in pages(client_of(cast.anna), {"sort": "patient"}):
        for url in (answer.context["next_url"], answer.context["refresh_url"]):
            cursor = parse_qs(url.partition("?")[2]).get("after", [""])[0]
            assert cursor == "" or json.loads(base64.urlsafe_b64decode(cursor + "=="))[0] == ""


def test_behind_a_case_that_is_gone_the_names_begin_again(cast, client_of, many):
    anna = client_of(cast.anna)
    gone = cursor_after({"key": "müller, ada", "id": uuid.uuid4()})
    assert rows(anna.get("/", {"sort": "patient", "after": gone})) == rows(anna.get("/", {"sort": "patient"}))


def test_another_labs_case_as_a_cursor_is_like_one_that_does_not_exist(cast, client_of, many):
    """Else pages of one's own would tell where its patient stands in the alphabet."""
    make_order(cast.lab_b, make_pairing(cast.lab_b), "FOREIGN", patient_last="Ångström")
    with in_lab(cast.lab_b.pk):
        foreign = cursor_after({"key": "x", "id": Order.objects.of(cast.lab_b).get().pk})
    anna = client_of(cast.anna)
    assert rows(anna.get("/", {"sort": "patient", "after": foreign})) == rows(anna.get("/", {"sort": "patient"}))
