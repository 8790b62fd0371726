"""A change that commits late is never passed over by a system that keeps the last cursor."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

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
