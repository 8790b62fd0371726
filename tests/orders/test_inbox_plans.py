"""The inbox's sorts, their second pages and the lanes' numbers are answered by indexes, through both walls."""

from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Lower
from django.http import QueryDict
from django.utils import timezone

from connector.orders.inbox import LANES, Query, lane_filter, listed
from connector.orders.models import Order
from connector.orders.navigation import COUNTED, lane_counts
from connector.orders.paging import PAGE, cursor_after, page
from labportal.labs.tenancy import in_lab
from tests.orders.make import make_order, make_pairing

pytestmark = pytest.mark.django_db

INDEXES = {"received": "orders_inbox", "due": "orders_due", "patient": "orders_patient"}


@pytest.fixture
def lab(cast):
    pairing = make_pairing(cast.lab_a)
    for number in range(PAGE + 2):
        make_order(cast.lab_a, pairing, str(number), patient_last=f"Name {number % 7}", revisions=0)
    return cast.lab_a


def asked(lab, sort, cursor="", lane="all"):
    query = Query.read(QueryDict(f"lane={lane}&sort={sort}"))
    return page(listed(Order.objects.of(lab), query, timezone.localdate()), sort=query.sort, cursor=cursor, lab=lab)


def plan(orders):
    """With few rows PostgreSQL would rather read and sort them all; so large costs are put on that."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    return orders.explain()


@pytest.mark.parametrize("sort", INDEXES)
def test_a_sort_and_its_second_page_are_read_off_an_index(lab, sort):
    with in_lab(lab.pk):
        first = plan(asked(lab, sort))
        row = asked(lab, sort).values("id", "key")[PAGE - 1]
        second = plan(asked(lab, sort, cursor_after(row)))
    assert INDEXES[sort] in first
    assert "Sort" not in first + second
    assert "ROW(" in second.split("Index Cond:")[1].split("\n")[0]  # not a filter over the whole lab


def test_a_sort_by_an_expression_would_read_the_whole_lab_for_its_second_page(lab):
    """The control, and the reason for the columns."""
    with in_lab(lab.pk):
        orders = Order.objects.of(lab).annotate(low=Lower("patient_last")).filter(low__gt="name 3").order_by("low")
        assert "lower" not in plan(orders).split("Index Cond:")[1].split("\n")[0]


def test_the_numbers_of_the_lanes_are_those_of_the_lanes(cast):
    pairing, now, today = make_pairing(cast.lab_a), timezone.now(), timezone.localdate()
    kinds: tuple[dict[str, Any], ...] = (
        {}, {"workflow": "in_work"}, {"workflow": "done"}, {"workflow": "done", "problem": "gone"},
        {"workflow": "done", "waiting_since": now}, {"waiting_since": now}, {"due_date": "2020-01-01"},
        {"workflow": "done", "due_date": "2020-01-01"}, {"problem": "gone", "workflow": "in_work"},
    )  # fmt: skip
    for number, changes in enumerate(kinds):
        make_order(cast.lab_a, pairing, str(number), **changes)
    with in_lab(cast.lab_a.pk):
        counts = lane_counts(cast.lab_a)
        for lane in COUNTED:
            assert counts[lane] == Order.objects.of(cast.lab_a).filter(lane_filter(lane, today)).count(), lane
    assert set(COUNTED) < set(LANES)
    assert sum(counts.values()) == 9


@pytest.mark.parametrize("letter", ["\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}", "\U0001f9b7", "Ǆ", "ß"])
def test_the_longest_name_of_letters_that_grow_can_be_kept_sorted_and_found(cast, letter):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a), patient_last=letter * 300, patient_first=letter * 300)
    with in_lab(cast.lab_a.pk):
        query = Query.read(QueryDict("s=x&sort=patient"), words=letter * 9)
        orders = listed(Order.objects.of(cast.lab_a), query, timezone.localdate())
        found = page(orders, sort="patient", cursor="", lab=cast.lab_a)
        assert [each.pk for each in found] == [order.pk]
