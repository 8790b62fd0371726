"""A change that commits late, or after a fast clock was set right, is never passed over by a system that keeps the last
cursor."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from connector.lms.cursor import Position
from connector.orders.models import Order
from labportal.labs.tenancy import in_lab
from tests.lms.conftest import system_of
from tests.orders.make import make_order, make_pairing


@pytest.mark.usefixtures("committed")
def test_a_change_that_commits_late_is_handed_out_all_the_same(cast):
    ask, pairing = system_of(cast.lab_a), make_pairing(cast.lab_a)
    slow = make_order(cast.lab_a, pairing, "slow")
    quick = make_order(cast.lab_a, pairing, "quick")
    written, may_commit = threading.Event(), threading.Event()

    def change(order, wait):
        with in_lab(cast.lab_a.pk):
            Order.objects.of(cast.lab_a).filter(pk=order.pk).update(workflow="done", updated_at=timezone.now())
            if wait:
                written.set()
                assert may_commit.wait(20)
        if wait:
            connection.close()

    worker = threading.Thread(target=change, args=(slow, True))
    worker.start()
    try:
        assert written.wait(20)
        change(quick, False)
        first = ask("/api/v1/orders").json()
    finally:
        may_commit.set()
        worker.join(20)
    then = ask(f"/api/v1/orders?cursor={first['cursor'] or ''}").json()
    done = {item["order_id"] for item in (*first["items"], *then["items"]) if item["workflow"] == "done"}
    assert done == {"slow", "quick"}


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("fast", [timedelta(hours=2), timedelta(days=9000)], ids=["two hours", "years"])
def test_after_a_fast_clock_was_set_right_the_list_begins_anew(cast, fast):
    ask, pairing = system_of(cast.lab_a), make_pairing(cast.lab_a)
    handed_out = make_order(cast.lab_a, pairing, "while it was fast")
    ahead = timezone.now() + fast
    with in_lab(cast.lab_a.pk):
        Order.objects.of(cast.lab_a).filter(pk=handed_out.pk).update(updated_at=ahead)
    make_order(cast.lab_a, pairing, "after it was set right")
    kept = Position(ahead, handed_out.pk).cursor
    first = ask(f"/api/v1/orders?cursor={kept}").json()
    assert [item["order_id"] for item in first["items"]] == ["after it was set right"]
    make_order(cast.lab_a, pairing, "later")
    then = ask(f"/api/v1/orders?cursor={first['cursor']}").json()
    assert [item["order_id"] for item in then["items"]] == ["later"], "it goes on from the place of then"
