"""Align's pushes: durable before the 202, never trusted, looked up once, never lost."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from connector.intake import look_up as looking_up
from connector.intake import notifications
from connector.intake.look_up import TRIES, look_up, route_unrouted
from connector.intake.models import Notification, NotificationState, RunStatus, UnroutedNotification
from connector.pairing.access import access_for
from connector.pairing.models import State
from labportal.labs.tenancy import in_lab, name_lab
from tests.align import change
from tests.cast import Cast
from tests.intake.desk import Desk, at_once, queued, work
from tests.orders.make import make_pairing


def lookups(desk: Desk) -> int:
    return int(desk.align.truth()["calls"].get("orderByRxId", 0))


def test_a_push_brings_in_an_order_that_the_list_never_shows(desk: Desk) -> None:
    order_id = desk.in_stock["normal"][0]
    desk.align.tell(f"orders/{order_id}/status", {"status": "Ready for Download", "listed": False})
    assert desk.push(order_id) == 202
    work()
    desk.assert_true_to_align(order_id)
    assert desk.timeline(order_id)[:2] == ["notified", "seen"]
    assert [(run.kind, run.status) for run in desk.runs()] == [("notification", RunStatus.NEW)]
    assert desk.pairing_now().notified_at is not None


def test_a_push_is_a_committed_row_before_its_answer(desk: Desk) -> None:
    assert desk.push(desk.arrives()) == 202
    assert not connection.in_atomic_block
    assert [row.state for row in desk.notifications()] == [NotificationState.QUEUED]
    assert queued() == ["look_up"]


def test_a_push_that_cannot_be_stored_is_not_accepted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Align tries again what got no 2xx."""

    def down(*_: Any, **__: Any) -> None:
        raise IntegrityError

    monkeypatch.setattr(notifications, "ring_look_up", down)
    order_id = desk.arrives()
    browser = Client(raise_request_exception=False)
    url = reverse("notify", args=[desk.secret])
    answer = browser.post(url, {"rxId": desk.rx_id(order_id)}, content_type="application/json")
    assert answer.status_code == 500
    assert desk.notifications() == []


def test_a_secret_that_is_nobodys_is_not_found(desk: Desk) -> None:
    assert desk.push_body({"rxId": "a"}, secret="x" * 43) == 404
    assert desk.push_body(b"not json", secret="ö") == 404


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b"{", b'{"rxId": null}', b'{"rxId": ["a"]}', b'{"rxId": "two words"}', b'{"other": "a"}',
        b'{"rxId": "' + b"a" * 65 + b'"}', b'{"rxId": "a", "filler": "' + b"x" * 17_000 + b'"}', b"\xff\xfe",
    ],
    ids=["empty", "list", "cut", "null", "nested", "blank", "missing", "too long", "over 16 kB", "no text"],
)  # fmt: skip
def test_what_is_no_notification_is_refused_and_leaves_nothing(desk: Desk, body: bytes) -> None:
    assert desk.push_body(body) == 400
    assert desk.push_body(b'{"RXID": "fits"}') == 202
    assert [row.rx_id for row in desk.notifications()] == ["fits"]


def test_a_hundred_equal_pushes_are_one_look_up(desk: Desk) -> None:
    order_id = desk.arrives()
    before = lookups(desk)
    for _ in range(100):
        desk.push(order_id)
    work()
    assert lookups(desk) - before == 1
    assert [row.state for row in desk.notifications()] == [NotificationState.DONE]


def test_a_burst_of_fresh_pushes_rings_once_and_all_are_looked_up(desk: Desk) -> None:
    orders = [desk.arrives() for _ in range(4)]
    OrmQ.objects.all().delete()
    for order_id in orders:
        desk.push(order_id)
    assert queued() == ["look_up"]
    work()
    assert {row.state for row in desk.notifications()} == {NotificationState.DONE}


def test_a_push_that_did_not_ring_and_came_too_late_for_the_batch_is_looked_up_by_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, late = desk.arrives(), desk.arrives()
    desk.push(first)
    one = looking_up._look_up_one

    def came_without_a_ring(*args: Any) -> bool:
        monkeypatch.setattr(looking_up, "_look_up_one", one)
        with in_lab(desk.lab.pk):
            Notification.objects.create(lab=desk.lab, pairing=desk.pairing, rx_id=desk.rx_id(late))
        return one(*args)

    monkeypatch.setattr(looking_up, "_look_up_one", came_without_a_ring)
    work()
    assert [row.state for row in desk.notifications()] == [NotificationState.DONE] * 2


def test_a_push_rings_again_when_the_ring_before_it_may_be_lost(desk: Desk) -> None:
    first, second = desk.arrives(), desk.arrives()
    desk.push(first)
    OrmQ.objects.all().delete()
    with in_lab(desk.lab.pk):
        Notification.objects.of(desk.lab).update(received_at=timezone.now() - timedelta(seconds=10))
    desk.push(second)
    assert queued() == ["look_up"]


@pytest.mark.django_db
def test_keeping_a_push_leaves_the_transactions_lab_as_it_was(cast: Cast) -> None:
    pairing = make_pairing(cast.lab_a)
    with transaction.atomic():
        for lab_id in ("", str(cast.lab_b.pk)):
            name_lab(lab_id, None)
            notifications.keep(cast.lab_a.pk, pairing.pk, f"rx{lab_id}")
            assert name_lab(None, None)[0] == lab_id


@pytest.mark.django_db
def test_a_push_can_not_be_kept_under_a_pairing_of_another_lab(cast: Cast) -> None:
    pairing = make_pairing(cast.lab_a)
    with transaction.atomic():
        notifications.keep(cast.lab_b.pk, pairing.pk, "rx")
        with connection.cursor() as cursor, pytest.raises(IntegrityError):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        transaction.set_rollback(True)


def test_a_push_that_comes_while_its_order_is_looked_up_is_looked_up_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may tell of something newer than the answer that is on its way."""
    order_id = desk.arrives()
    desk.push(order_id)
    one = looking_up._look_up_one

    def pushed_meanwhile(*args: Any) -> bool:
        monkeypatch.setattr(looking_up, "_look_up_one", one)
        desk.push(order_id)
        return one(*args)

    monkeypatch.setattr(looking_up, "_look_up_one", pushed_meanwhile)
    work()
    assert [row.state for row in desk.notifications()] == [NotificationState.DONE] * 2


def test_the_installations_address_routes_by_account_number(desk: Desk, settings: Any) -> None:
    order_id = desk.arrives()
    body = {"RxId": desk.rx_id(order_id), "accountNumber": "479"}
    assert desk.push_body(body, secret=settings.NOTIFICATION_SECRET) == 202
    work()
    desk.assert_true_to_align(order_id)


def test_without_an_account_number_the_active_pairings_are_asked(desk: Desk, settings: Any) -> None:
    order_id = desk.arrives()
    assert desk.push_body({"RxId": desk.rx_id(order_id)}, secret=settings.NOTIFICATION_SECRET) == 202
    assert queued() == ["route_unrouted"]
    work()
    desk.assert_true_to_align(order_id)
    assert not UnroutedNotification.objects.exists()


def test_an_rx_id_that_no_pairing_knows_is_asked_for_a_bounded_number_of_times(desk: Desk, settings: Any) -> None:
    assert desk.push_body({"RxId": "nobodys"}, secret=settings.NOTIFICATION_SECRET) == 202
    before = lookups(desk)
    for _ in range(TRIES + 3):
        route_unrouted()
    assert lookups(desk) - before == TRIES
    assert not UnroutedNotification.objects.exists()


def test_an_rx_id_that_align_does_not_know_ends_after_some_tries(desk: Desk) -> None:
    desk.push_body({"rxId": "unknown-at-align"})
    for _ in range(TRIES + 3):
        look_up(desk.lab.pk, desk.pairing.pk)
    (row,) = desk.notifications()
    assert (row.state, row.reason, row.attempts) == (NotificationState.UNKNOWN, "not_found", TRIES)


def test_a_pairing_that_needs_a_person_keeps_its_notifications(desk: Desk) -> None:
    order_id = desk.arrives()
    change(desk.pairing, state=State.NEEDS_PAIRING)
    desk.push(order_id)
    desk.sweep()
    assert [row.state for row in desk.notifications()] == [NotificationState.QUEUED]
    assert desk.runs() == []
    change(desk.pairing, state=State.ACTIVE)
    desk.sweep()
    desk.assert_true_to_align(order_id)


def test_a_look_up_whose_worker_died_is_taken_up_again(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.push(order_id)
    looking_up._take(desk.lab.pk, desk.pairing.pk)
    work()
    assert [row.state for row in desk.notifications()] == [NotificationState.TAKEN]
    age_taken(desk)
    desk.sweep()
    assert [row.state for row in desk.notifications()] == [NotificationState.DONE]
    desk.assert_true_to_align(order_id)


def test_two_equal_look_ups_whose_workers_died_do_not_block_each_other(desk: Desk) -> None:
    order_id = desk.arrives()
    for _ in range(2):
        desk.push(order_id)
        looking_up._take(desk.lab.pk, desk.pairing.pk)
    age_taken(desk)
    desk.sweep()
    assert [row.state for row in desk.notifications()] == [NotificationState.DONE] * 2


def age_taken(desk: Desk) -> None:
    with in_lab(desk.lab.pk):
        long_ago = timezone.now() - looking_up.STUCK - timedelta(seconds=1)
        Notification.objects.of(desk.lab).filter(state=NotificationState.TAKEN).update(taken_at=long_ago)


def test_an_outage_costs_no_tries_and_ends_the_batch_at_its_first_call(desk: Desk) -> None:
    for rx_id in ("a", "b", "c"):
        desk.push_body({"rxId": rx_id})
    desk.align.fault(call="orderByRxId", status=503, times=0)
    before = lookups(desk)
    for _ in range(TRIES + 1):
        change(desk.pairing, paused_until=None)
        look_up(desk.lab.pk, desk.pairing.pk)
    assert lookups(desk) - before == TRIES + 1
    assert {row.state for row in desk.notifications()} == {NotificationState.QUEUED}
    assert {run.reason for run in desk.runs()} == {"vendor_unavailable"}


def test_a_paused_pairing_is_not_asked(desk: Desk) -> None:
    desk.push(desk.arrives())
    before = lookups(desk)
    change(desk.pairing, paused_until=timezone.now() + timedelta(minutes=5))
    work()
    assert lookups(desk) == before
    assert [row.state for row in desk.notifications()] == [NotificationState.QUEUED]


def test_an_answer_that_cannot_be_stored_does_not_stop_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = desk.arrives(), desk.arrives()
    desk.push(first)
    desk.push(second)
    desk.align.fault(call="orderByRxId", half_json=True, times=1)
    look_up(desk.lab.pk, desk.pairing.pk)
    assert [order.order_id for order in desk.orders()] == [second]
    look_up(desk.lab.pk, desk.pairing.pk)
    assert [order.order_id for order in desk.orders()] == [first, second]


def test_a_push_does_not_wait_for_a_slow_renewal_of_the_token(desk: Desk) -> None:
    """A renewal holds the pairing's row for as long as Align takes; a push only points at that row."""
    order_id = desk.arrives()
    change(desk.pairing, access_expires_at=timezone.now())
    desk.align.fault(call="refresh", latency=3)
    took: list[float] = []

    def push() -> None:
        time.sleep(0.7)  # the renewal is at Align by now
        begun = time.monotonic()
        assert desk.push(order_id) == 202
        took.append(time.monotonic() - begun)

    at_once(lambda: access_for(desk.lab.pk, desk.pairing.pk), push)
    assert took[0] < 1.5
