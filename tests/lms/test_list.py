"""The list of orders: what a system gets, page by page, and what it gets the next time."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from connector.lms.schemas import OrderPage
from connector.orders.models import ErasedWhy, Order, Revision, Workflow
from connector.orders.services import set_workflow
from connector.retention.erasing import erase
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing

pytestmark = pytest.mark.django_db


def walk(ask, limit, between=None):
    """The order ids of each page, from the beginning to the end."""
    pages, cursor = [], ""
    while cursor is not None:
        answer = ask(f"/api/v1/orders?limit={limit}&cursor={cursor}").json()
        pages.append([item["order_id"] for item in answer["items"]])
        cursor = answer["next"]
        if between is not None:
            between(len(pages))
    return pages


def make_many(lab, count):
    """Orders that intake wrote at the same moment, in one statement."""
    pairing, now = make_pairing(lab), timezone.now()
    with in_lab(lab.pk):
        orders = Order.objects.bulk_create(
            Order(lab=lab, pairing=pairing, order_id=f"{number:09}", received_at=now) for number in range(count)
        )
        Order.objects.of(lab).update(updated_at=now)
    return orders


def test_the_export_lists_the_orders_that_the_inbox_shows(cast, client_of, lms_a):
    pairing = make_pairing(cast.lab_a)
    made = {make_order(cast.lab_a, pairing, f"11122{number}").order_id for number in range(3)}
    exported = {item["order_id"] for item in lms_a("/api/v1/orders").json()["items"]}
    page = client_of(cast.anna).get("/?lane=all").content.decode()
    assert exported == made
    assert set(re.findall(r"11122\d", page)) == made


def test_another_lab_gets_an_empty_list(cast, lms_b):
    make_order(cast.lab_a, make_pairing(cast.lab_a))
    assert lms_b("/api/v1/orders").json() == {"items": [], "next": None, "cursor": None}


def test_an_order_says_who_what_and_when(cast, lms_a):
    order = make_order(
        cast.lab_a, make_pairing(cast.lab_a), "114582239", chart_number="P-1", doctor_license="L9", problem="gone"
    )
    (item,) = lms_a("/api/v1/orders").json()["items"]
    assert (item["id"], item["order_id"], item["rx_id"]) == (str(order.pk), "114582239", order.rx_id)
    assert item["patient"] == {"first": "Ingrid", "last": "Sørensen", "chart_number": "P-1"}
    assert item["doctor"] == {"name": "Dr. Petra Zahn", "license": "L9"}
    assert item["practice"] == {"name": "Praxis", "address": ""}
    assert item["status"] == "Ready for Download"
    assert item["problem"]["code"] == "gone"
    assert item["url"] == f"http://localhost:8000/api/v1/orders/{order.pk}"


def test_the_list_has_the_shape_that_the_document_says(cast, lms_a):
    make_order(cast.lab_a, make_pairing(cast.lab_a), revisions=2, problem="gone")
    answer = lms_a("/api/v1/orders").json()
    assert OrderPage.model_validate(answer).model_dump(mode="json") == answer


def test_a_walk_meets_all_250_orders_once_though_they_changed_at_the_same_moment(cast, lms_a):
    make_many(cast.lab_a, 250)
    pages = walk(lms_a, 100)
    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({order_id for page in pages for order_id in page}) == 250


def test_an_order_that_changes_during_the_walk_is_met_once_at_its_new_place(cast, lms_a):
    make_many(cast.lab_a, 250)

    def change_one_not_met_yet(page):
        if page == 1:
            with in_lab(cast.lab_a.pk):
                last = Order.objects.of(cast.lab_a).order_by("-updated_at", "-id")[:1].get()
                set_workflow(order=last, workflow=Workflow.IN_WORK, user=cast.theo)
                changed.append(last.order_id)

    changed: list[str] = []
    met = [order_id for page in walk(lms_a, 100, change_one_not_met_yet) for order_id in page]
    assert len(met) == len(set(met)) == 250
    assert met[-1] == changed[0]


def test_an_order_that_was_met_comes_again_when_it_changes(cast, lms_a):
    make_many(cast.lab_a, 5)
    first = lms_a("/api/v1/orders").json()
    assert first["next"] is None
    with in_lab(cast.lab_a.pk):
        set_workflow(order=Order.objects.of(cast.lab_a).get(order_id="000000002"), workflow="done", user=cast.theo)
    after = lms_a(f"/api/v1/orders?cursor={first['cursor']}").json()
    assert [(item["order_id"], item["workflow"]) for item in after["items"]] == [("000000002", "done")]


def test_a_kept_cursor_stays_good_while_nothing_changes(cast, lms_a):
    make_many(cast.lab_a, 2)
    kept = lms_a("/api/v1/orders").json()["cursor"]
    assert lms_a(f"/api/v1/orders?cursor={kept}").json() == {"items": [], "next": None, "cursor": kept}


def test_updated_since_leaves_out_what_changed_before(cast, lms_a):
    pairing = make_pairing(cast.lab_a)
    make_order(cast.lab_a, pairing, "1")
    moment = timezone.now()
    make_order(cast.lab_a, pairing, "2")
    items = lms_a("/api/v1/orders", data={"updated_since": moment.isoformat()}).json()["items"]
    assert [item["order_id"] for item in items] == ["2"]


def test_a_plus_sign_that_was_not_escaped_is_understood(cast, lms_a):
    make_order(cast.lab_a, make_pairing(cast.lab_a), "1")
    answer = lms_a("/api/v1/orders?updated_since=2020-01-01T00:00:00+01:00")
    assert [item["order_id"] for item in answer.json()["items"]] == ["1"]


def test_status_chooses_by_what_align_says(cast, lms_a):
    pairing = make_pairing(cast.lab_a)
    make_order(cast.lab_a, pairing, "1")
    other = make_order(cast.lab_a, pairing, "2")
    with in_lab(cast.lab_a.pk):
        Order.objects.of(cast.lab_a).filter(pk=other.pk).update(vendor_status="Modeling Complete")
    items = lms_a("/api/v1/orders", data={"status": "Modeling Complete"}).json()["items"]
    assert [item["order_id"] for item in items] == ["2"]


@pytest.mark.parametrize(
    ("query", "status", "named"),
    [
        ("limit=0", 422, "limit"),
        ("limit=501", 422, "limit"),
        ("limit=many", 422, "limit"),
        ("updated_since=yesterday", 422, "updated_since"),
        ("updated_since=2026-01-01T00:00:00", 422, "updated_since"),
        ("status=%00", 422, "status"),
        ("cursor=%00", 400, "cursor"),
        ("cursor=hello", 400, "cursor"),
        ("cursor=bm9uc2Vuc2U", 400, "cursor"),
        ("cursor=MjAyNi0wMS0wMVQwMDowMDowMC8wMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA", 400, "cursor"),
    ],
)
def test_what_cannot_be_understood_is_said_in_words(lms_a, query, status, named):
    answer = lms_a(f"/api/v1/orders?{query}")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert named in answer.json()["detail"]


def test_a_long_page_takes_as_many_queries_as_a_short_one(cast, lms_a):
    def queries():
        with CaptureQueriesContext(connection) as caught:
            answer = lms_a("/api/v1/orders?limit=500")
        return len(answer.json()["items"]), len(caught)

    make_many(cast.lab_a, 2)
    lms_a("/api/v1/orders")  # notes the key's first use
    few = queries()
    make_many(cast.lab_a, 60)
    with in_lab(cast.lab_a.pk):
        Revision.objects.bulk_create(
            Revision(lab=cast.lab_a, order=order, number=1, version_key="x", cause="first")
            for order in Order.objects.of(cast.lab_a)
        )
    many = queries()
    assert (few[0], many[0]) == (2, 62)
    assert few[1] == many[1]


def test_a_removed_case_comes_once_more_empty_so_that_the_copy_can_be_deleted(lms_a, cast):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a), "100")
    before = lms_a("/api/v1/orders").json()
    assert before["items"][0]["erased_at"] is None
    assert erase(cast.lab_a.pk, order.pk, why=ErasedWhy.REQUEST, by=None)
    (item,) = lms_a(f"/api/v1/orders?cursor={before['cursor']}").json()["items"]
    assert item["erased_at"]
    assert item["patient"] == {"first": "", "last": "", "chart_number": ""}
    assert item["doctor"]["name"] == item["practice"]["name"] == ""
    assert [revision["content_url"] for revision in item["revisions"]] == [None]
    assert lms_a(f"/api/v1/orders/{order.pk}").json()["patient"]["last"] == ""
