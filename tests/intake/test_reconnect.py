"""Connected again: what came and went at Align while the connection stood still comes in by itself."""

from datetime import timedelta

from django.utils import timezone
from django_q.models import OrmQ

from connector.intake.bookkeeping import Reconciliation
from connector.itero import Asset
from connector.orders.models import RevisionState
from connector.pairing import vendor
from connector.pairing.models import State
from labportal.labs.tenancy import in_lab
from labportal.tick import tick
from tests.align import change, come_back, log_in, pair_lab, start_connecting
from tests.intake.desk import Desk, work


def turn() -> None:
    """What a worker does by itself: the tick, and the tasks that it rings for. Nothing is made due here."""
    OrmQ.objects.all().delete()
    tick()
    work()


def stands_still(desk: Desk, state: str = State.NEEDS_PAIRING) -> None:
    change(desk.pairing, state=state, reason="invalid_grant")


def taken_elsewhere(desk: Desk, order_id: str) -> None:
    """The doctor's re-scan becomes ready, and another program of the account downloads it: from then on Align lists it
    no more. The portal's own address for notifications is not served in this test, so no push comes either."""
    desk.align.tell(f"orders/{order_id}/return", {"reason": "bite", "comment": ""})
    desk.align.wait_for_order(order_id, revision=2)
    known = desk.pairing_now()
    with vendor.client().download_order(
        known.vendor_endpoints, access_token=known.tokens.access_token, order_id=order_id, asset=Asset.FULL
    ) as download:
        while download.readinto(memoryview(bytearray(1 << 16))):
            pass
    desk.align.wait_for_order(order_id, listed=False)


def reconnect(desk: Desk) -> None:
    come_back(desk.browser, log_in(start_connecting(desk.browser, desk.pairing)))
    assert desk.pairing_now().state == State.ACTIVE


def comparisons(desk: Desk) -> list[Reconciliation]:
    """Newest first."""
    with in_lab(desk.lab.pk):
        return list(Reconciliation.objects.of(desk.lab))


def compared_an_hour_ago(desk: Desk) -> None:
    """The daily comparison ran before the connection stopped, so its turn would be tomorrow."""
    change(desk.pairing, paired_at=timezone.now() - timedelta(days=9))
    turn()
    with in_lab(desk.lab.pk):
        assert Reconciliation.objects.of(desk.lab).update(started_at=timezone.now() - timedelta(hours=1)) == 1


def test_a_scan_that_came_and_went_while_the_connection_stood_still_comes_in_after_reconnect(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    compared_an_hour_ago(desk)
    assert desk.revision(order_id).state == RevisionState.READY
    stands_still(desk)
    taken_elsewhere(desk, order_id)
    turn()
    assert desk.revision(order_id).number == 1
    reconnect(desk)
    turn()
    assert desk.runs()[0].listed == 0
    assert desk.notifications() == []
    assert desk.revision(order_id).number == 2
    desk.assert_true_to_align(order_id)
    assert [run.missing_recorded for run in comparisons(desk)] == [1, 0]


def test_so_does_one_after_the_account_was_disconnected_and_connected_anew(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    compared_an_hour_ago(desk)
    taken_elsewhere(desk, order_id)
    change(desk.pairing, state=State.UNPAIRED, sealed_tokens="", callback_hash="")
    assert pair_lab(desk.browser, desk.align).pk == desk.pairing.pk
    turn()
    desk.assert_true_to_align(order_id)
    assert desk.revision(order_id).number == 2


def test_the_comparison_after_reconnect_is_one(desk: Desk) -> None:
    compared_an_hour_ago(desk)
    stands_still(desk)
    reconnect(desk)
    for _ in range(3):
        turn()
    assert len(comparisons(desk)) == 2


def test_one_that_fails_after_reconnect_is_made_up_for_an_hour_later(desk: Desk) -> None:
    compared_an_hour_ago(desk)
    stands_still(desk)
    reconnect(desk)
    desk.align.fault(call="orders", status=400, times=2)
    turn()
    turn()
    failed, before = comparisons(desk)
    assert (failed.reason, before.reason) == ("bad_request", "")
    with in_lab(desk.lab.pk):
        rows = Reconciliation.objects.of(desk.lab).filter(pk=failed.pk)
        rows.update(started_at=timezone.now() - timedelta(minutes=61))
    change(desk.pairing, reconnected_at=timezone.now() - timedelta(minutes=62), paused_until=None)
    desk.align.clear_faults()
    turn()
    made_up_for = comparisons(desk)[0]
    assert (made_up_for.pk != failed.pk, made_up_for.reason) == (True, "")


def test_a_comparison_that_failed_before_reconnect_does_not_put_it_off(desk: Desk) -> None:
    compared_an_hour_ago(desk)
    with in_lab(desk.lab.pk):
        started = timezone.now() - timedelta(minutes=5)
        Reconciliation.objects.of(desk.lab).update(reason="unauthorized", started_at=started)
    stands_still(desk)
    reconnect(desk)
    turn()
    assert [run.reason for run in comparisons(desk)] == ["", "unauthorized"]
