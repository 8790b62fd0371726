"""Lanes, counts, marks and words of the inbox."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connector.orders import services
from connector.orders.models import Order, Revision, RevisionState, Workflow
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing
from tests.orders.pages import counts, rows, search, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


@pytest.fixture
def one_of_each(cast, pairing, today):
    """A case for each lane; the late one is new as well."""
    make_order(cast.lab_a, pairing, "NEW")
    make_order(cast.lab_a, pairing, "WORK", workflow=Workflow.IN_WORK)
    make_order(cast.lab_a, pairing, "WAITING", waiting_since=timezone.now() - timedelta(days=3))
    make_order(cast.lab_a, pairing, "LATE", due_date=today - timedelta(days=2))
    make_order(cast.lab_a, pairing, "STOPPED", problem="gone", workflow=Workflow.IN_WORK)
    make_order(cast.lab_a, pairing, "DONE", workflow=Workflow.DONE, due_date=today - timedelta(days=9))


@pytest.mark.parametrize(
    ("lane", "shown"),
    [
        ("", {"NEW", "LATE"}),
        ("work", {"WORK", "STOPPED"}),
        ("waiting", {"WAITING"}),
        ("overdue", {"LATE"}),
        ("attention", {"STOPPED"}),
        ("done", {"DONE"}),
        ("all", {"NEW", "WORK", "WAITING", "LATE", "STOPPED", "DONE"}),
        ("nonsense", {"NEW", "LATE"}),
    ],
)
def test_each_lane_shows_its_cases(cast, client_of, one_of_each, lane, shown):
    assert set(rows(client_of(cast.anna).get("/", {"lane": lane}))) == shown


def test_the_counts_are_those_of_the_lanes(cast, client_of, one_of_each):
    anna = client_of(cast.anna)
    for lane, count in counts(anna.get("/")).items():
        if count is not None:
            assert count == len(rows(anna.get("/", {"lane": lane}))), lane


def test_another_lab_counts_nothing_of_it(cast, client_of, one_of_each):
    answer = client_of(cast.bruno).get("/")
    assert rows(answer) == []
    assert set(counts(answer).values()) == {0, None}


def test_only_the_shown_lane_is_marked_in_the_menu(cast, client_of, one_of_each):
    anna = client_of(cast.anna)

    def active(query):
        return [lane["key"] for lane in anna.get("/", query).context["nav"]["lanes"] if lane["active"]]

    assert active({}) == ["inbox"]
    assert active({"lane": "work"}) == ["work"]
    assert active({"lane": "nonsense"}) == ["inbox"]
    lanes = search(anna, "x").context["nav"]["lanes"]
    assert not [lane for lane in lanes if lane["active"]]  # a search looks in every lane


@pytest.mark.parametrize(
    ("lane", "words"),
    [
        ("inbox", "Nothing new"), ("work", "No case in work"), ("waiting", "No case waits for a doctor"),
        ("overdue", "Nothing is overdue"), ("attention", "Nothing needs attention"), ("done", "No case is done yet"),
        ("all", "No case yet"),
    ],
)  # fmt: skip
def test_an_empty_lane_says_what_belongs_there(cast, client_of, pairing, lane, words):
    assert words in text_of(client_of(cast.anna).get("/", {"lane": lane}))


def test_a_lab_without_a_connection_is_led_to_make_one(cast, client_of):
    page = text_of(client_of(cast.anna).get("/"))
    assert "No connection to Align yet" in page


def test_a_search_without_result_offers_all_cases(cast, client_of, pairing):
    page = search(client_of(cast.anna), "nobody")
    assert "No case fits" in text_of(page)
    assert b'href="/?lane=all"' in page.content


def row(client, order_id, **query):
    return next(r for r in client.get("/", {"lane": "all"} | query).context["rows"] if r["order_id"] == order_id)


def test_the_new_mark_goes_for_the_person_who_opened_the_case_alone(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, "111")
    theo, vera = client_of(cast.theo), client_of(cast.vera)
    assert row(theo, "111")["is_new"]
    theo.get(f"/cases/{order.pk}")
    assert not row(theo, "111")["is_new"]
    assert row(vera, "111")["is_new"]


def test_asking_for_the_head_of_a_case_leaves_the_new_mark(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, "111")
    theo = client_of(cast.theo)
    assert theo.head(f"/cases/{order.pk}").status_code == 200
    assert row(theo, "111")["is_new"]


def test_a_re_scan_brings_the_new_mark_and_a_badge(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, "111")
    theo = client_of(cast.theo)
    theo.get(f"/cases/{order.pk}")
    assert row(theo, "111")["badge"] == ""
    with in_lab(cast.lab_a.pk):
        Revision.objects.create(lab=cast.lab_a, order=order, number=2, version_key="v2", cause="rescan")
        Order.objects.of(cast.lab_a).filter(pk=order.pk).update(latest_number=2)
    assert row(theo, "111")["is_new"]
    assert row(theo, "111")["badge"] == "re-scan 2"
    theo.get(f"/cases/{order.pk}")
    assert not row(theo, "111")["is_new"]


def test_a_late_case_is_red_and_a_done_one_is_not(cast, client_of, one_of_each):
    anna = client_of(cast.anna)
    assert row(anna, "LATE")["due_tone"] == "bad"
    assert row(anna, "DONE")["due_tone"] == ""
    assert b"c-due tone-bad" in anna.get("/", {"lane": "overdue"}).content


def test_a_case_is_due_by_the_labs_own_calendar(cast, client_of, pairing, monkeypatch):
    """23:30 in London is already the next day in Oslo."""
    now = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)
    make_order(cast.lab_a, pairing, "111", due_date=now.date())
    anna = client_of(cast.anna)
    monkeypatch.setattr(timezone, "now", lambda: now)
    assert rows(anna.get("/", {"lane": "overdue"})) == ["111"]
    assert counts(anna.get("/"))["overdue"] == 1


@pytest.mark.parametrize(
    ("changes", "state", "words"),
    [
        ({}, RevisionState.READY, "New"),
        ({}, RevisionState.SEEN, "Coming in"),
        ({}, RevisionState.FETCHING, "Coming in"),
        ({}, RevisionState.RETRY, "Trying again"),
        ({}, RevisionState.ASKED_LATER, "At Align"),
        ({"workflow": "in_work"}, RevisionState.READY, "In work"),
        ({"workflow": "done"}, RevisionState.READY, "Done"),
        ({"problem": "gone"}, RevisionState.GONE, "Needs attention"),
        ({"vendor_status": "In Review"}, RevisionState.READY, "In Review"),
    ],
)
def test_the_status_says_where_a_case_stands(cast, client_of, pairing, changes, state, words):
    order = make_order(cast.lab_a, pairing, "111", **changes)
    with in_lab(cast.lab_a.pk):
        Revision.objects.of(cast.lab_a).filter(order=order).update(state=state)
    assert row(client_of(cast.anna), "111")["status"] == words


def test_a_waiting_case_says_for_how_many_days(cast, client_of, one_of_each):
    assert row(client_of(cast.anna), "WAITING")["status"] == "Waiting for doctor 3 d"


def test_teeth_are_numbered_as_each_lab_counts_them(cast, client_of):
    make_order(cast.lab_a, make_pairing(cast.lab_a), "A", teeth=[3], shade="A2")
    make_order(cast.lab_b, make_pairing(cast.lab_b), "B", teeth=[3])
    assert row(client_of(cast.anna), "A")["teeth"] == "16 · A2"
    assert row(client_of(cast.bruno), "B")["teeth"] == "3"


def test_the_rows_alone_come_for_htmx(cast, client_of, pairing):
    make_order(cast.lab_a, pairing, "111")
    answer = client_of(cast.anna).get("/", headers={"HX-Request": "true"})
    content = answer.content.decode()
    assert "<!doctype" not in content.lower()
    assert "<table" not in content
    assert content.lstrip().startswith("<tr")
    assert "111" in content
    assert answer["Cache-Control"] == "no-store"


def test_an_empty_list_for_htmx_is_one_row_of_words(cast, client_of, pairing):
    content = client_of(cast.anna).get("/", headers={"HX-Request": "true"}).content.decode()
    assert content.count("<tr") == 1
    assert "Nothing new" in content


def queries(client, path):
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len([q for q in found if "SAVEPOINT" not in q["sql"]])


@pytest.mark.parametrize("sort", ["received", "due", "patient"])
def test_a_page_takes_as_few_queries_for_fifty_rows_as_for_five(cast, client_of, pairing, sort):
    anna = client_of(cast.anna)
    for number in range(5):
        make_order(cast.lab_a, pairing, f"N{number}", teeth=[3, 4])
    anna.get("/")  # the first page of a session also notes that she is here
    few = queries(anna, f"/?sort={sort}")
    for number in range(5, 60):
        order = make_order(cast.lab_a, pairing, f"N{number}")
        if number % 2:
            services.mark_seen(order=order, user=cast.anna)
    many = queries(anna, f"/?sort={sort}")
    assert many == few
    assert many <= 16  # one writes the audit, one asks for a look by the operator, one counts refused returns


def test_patient_pages_are_kept_out_of_every_cache(cast, client_of, pairing):
    order = make_order(cast.lab_a, pairing, "111")
    anna = client_of(cast.anna)
    for path in ("/", "/?s=x", f"/cases/{order.pk}", f"/cases/{order.pk}/return", "/connections/"):
        assert anna.get(path)["Cache-Control"] == "no-store", path


def test_a_lab_without_a_connection_is_not_told_that_align_was_never_checked(cast, client_of, pairing):
    assert "Align was never checked" in text_of(client_of(cast.anna).get("/"))
    assert "Not connected to Align yet" in text_of(client_of(cast.bruno).get("/"))
