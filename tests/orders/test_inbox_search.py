"""Search, filters and sorts: plain words in, the lab's cases out, every answer is an address."""

from datetime import timedelta
from urllib.parse import parse_qs

import pytest
from django.utils import timezone

from connector.orders.models import Workflow
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import rows, search, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(cast, pairing):
    make_order(
        cast.lab_a, pairing, "114582239", patient_last="Sørensen", patient_first="Ingrid", doctor="Dr. Petra Zahn",
        practice="Praxis am Fjord", chart_number="K-20_7",
    )  # fmt: skip
    make_order(
        cast.lab_a, pairing, "200000001", patient_last="Müller", patient_first="Åse", doctor="Dr. O'Neill",
        practice="100% Zahn", chart_number="K-2087", workflow=Workflow.DONE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Sørensen", ["114582239"]),
        ("sØREN", ["114582239"]),
        ("MÜLLER", ["200000001"]),
        ("ingrid", ["114582239"]),
        ("114582239", ["114582239"]),
        ("4582", ["114582239"]),
        ("petra", ["114582239"]),
        ("o'neill", ["200000001"]),
        ("fjord", ["114582239"]),
        ("k-2087", ["200000001"]),
        ("zahn", ["200000001", "114582239"]),
        ("zahn ingrid", ["114582239"]),
        ("  ingrid   fjord  ", ["114582239"]),
        ("ingrid müller", []),
        ("100%", ["200000001"]),
        ("%", ["200000001"]),
        ("_", ["114582239"]),
        ("0_7", ["114582239"]),
        ("%%", []),
        ("\\", []),
        ("' OR 1=1 --", []),
        ("x" * 5000, []),
        ("\x00ingrid", ["114582239"]),
    ],
)
def test_a_search_finds_what_the_words_say_and_nothing_else(cast, client_of, cases, words, found):
    assert rows(search(client_of(cast.anna), words)) == found


def test_a_search_looks_in_every_lane(cast, client_of, cases):
    assert rows(search(client_of(cast.anna), "müller", lane="work")) == ["200000001"]


def test_a_search_finds_nothing_of_another_lab(cast, client_of, cases):
    assert rows(search(client_of(cast.bruno), "Sørensen")) == []


def test_the_searched_words_stand_in_the_field_as_text(cast, client_of, cases):
    page = search(client_of(cast.anna), '"><script>alert(1)</script>').content.decode()
    assert "<script>alert(1)" not in page
    assert "&quot;&gt;&lt;script&gt;" in page


def asked(url):
    return {key: values[0] for key, values in parse_qs(url.rpartition("?")[2]).items()}


def test_a_search_keeps_the_filters_and_the_sort(cast, client_of, cases, pairing):
    answer = client_of(cast.anna).get("/", {"lane": "work", "due": "week", "sort": "due", "doctor": "Dr. Petra Zahn"})
    kept = dict(answer.context["search"]["keep"])
    assert kept == {"lane": "work", "due": "week", "sort": "due", "doctor": "Dr. Petra Zahn"}


def test_a_filter_that_is_on_can_be_taken_off_by_its_link(cast, client_of, cases):
    answer = search(client_of(cast.anna), "zahn", due="week", sort="due")
    chips, here = answer.context["chips"], asked(answer.request["QUERY_STRING"])
    by_label = {chip["label"]: chip for chip in chips}
    assert by_label["Due this week"]["active"]
    assert asked(by_label["Due this week"]["url"]) == {"s": here["s"], "sort": "due"}
    assert asked(by_label["“zahn”"]["url"]) == {"due": "week", "sort": "due"}


def test_due_this_week_shows_what_is_due_within_seven_days_and_what_is_late(cast, client_of, pairing):
    today = timezone.localdate()
    for days in (-3, 0, 7, 8):
        make_order(cast.lab_a, pairing, f"D{days}", due_date=today + timedelta(days=days))
    make_order(cast.lab_a, pairing, "NODATE")
    assert set(rows(client_of(cast.anna).get("/", {"due": "week"}))) == {"D-3", "D0", "D7"}


def test_one_connection_can_be_looked_at_alone(cast, client_of, pairing):
    other = make_pairing(cast.lab_a)
    make_order(cast.lab_a, pairing, "111")
    make_order(cast.lab_a, other, "222")
    anna = client_of(cast.anna)
    assert rows(anna.get("/", {"connection": str(other.pk)})) == ["222"]
    assert len(anna.get("/").context["chips"]) == 3  # due this week, and each connection
    assert rows(anna.get("/", {"connection": "no id"})) == rows(anna.get("/"))


def test_another_labs_connection_shows_nothing(cast, client_of, pairing):
    make_order(cast.lab_a, pairing, "111")
    answer = client_of(cast.bruno).get("/", {"connection": str(pairing.pk)})
    assert rows(answer) == []
    assert pairing.account_name not in text_of(answer)


def test_one_doctors_cases_can_be_looked_at_alone(cast, client_of, cases):
    assert rows(client_of(cast.anna).get("/", {"doctor": "Dr. Petra Zahn", "lane": "all"})) == ["114582239"]


def test_every_sort_is_a_link_and_one_of_them_is_marked(cast, client_of, cases):
    options = client_of(cast.anna).get("/", {"lane": "all", "sort": "patient"}).context["sort"]["options"]
    assert [(option["label"], option["active"]) for option in options] == [
        ("Newest first", False), ("Due first", False), ("Patient A–Z", True),
    ]  # fmt: skip
    assert [asked(option["url"]) for option in options] == [
        {"lane": "all"}, {"lane": "all", "sort": "due"}, {"lane": "all", "sort": "patient"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query", ["sort=x", "due=x", "lane=%00", "doctor=%00", "s=%FF", "connection=%00", "after=%00&s=%00"]
)
def test_an_address_that_was_typed_wrong_still_gives_a_list(cast, client_of, cases, query):
    assert client_of(cast.anna).get(f"/?{query}").status_code == 200
