"""Align's pushes: what comes in by one lab's address, or for one lab's account, is that lab's, whatever it names.

Two labs are paired with one Align. Nothing here relies on both walls at once; that a push's row is refused under a
pairing of another lab is tried in tests/intake/test_notifications.py.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from connector.intake.look_up import TRIES, look_up
from connector.intake.models import Notification, NotificationState
from connector.orders.models import Order
from connector.pairing.models import Pairing
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from tests.align import callback_secret, pair_lab
from tests.cast import Cast
from tests.intake.desk import Desk, OpenDesk, work
from tests.intake.fixtures import anna, open_desk, scans, stock  # noqa: F401 - fixtures
from tests.isolation.world import fingerprint

Walls = Callable[[str], AbstractContextManager[None]]
WALLS = ("both", "the filter", "row-level security")  # the last takes the filter away for the rest of the test


@pytest.fixture
def two(open_desk: OpenDesk, cast: Cast, client_of: Any) -> tuple[Desk, Pairing]:  # noqa: F811 - the fixture
    """Lab A's desk, paired with account 479; lab B's pairing with account 512."""
    desk = open_desk(normal=len(WALLS))
    paired = pair_lab(client_of(cast.bruno), desk.align, "512")
    work()
    return desk, paired


@pytest.fixture
def only(without_filter: Callable[[], None], without_row_level_security: Callable[[], Any]) -> Walls:
    """Leaves standing what is named."""

    @contextmanager
    def leave(standing: str) -> Iterator[None]:
        if standing == "row-level security":
            without_filter()
        if standing == "the filter":
            with without_row_level_security():
                yield
        else:
            yield

    return leave


def notified(lab: Lab) -> tuple[str, str]:
    """(RxID, state) of the one push that was kept for the lab since it was asked before."""
    with in_lab(lab.pk):
        rows = Notification.objects.filter(lab=lab)
        (row,) = rows.values_list("rx_id", "state")
        rows.delete()
    return row


def cases_of(lab: Lab) -> list[str]:
    with in_lab(lab.pk):
        return list(Order.objects.filter(lab=lab).values_list("order_id", flat=True))


def until_given_up(lab: Lab, pairing: Pairing) -> None:
    """Its pushes are looked up as often as they may fail."""
    for _ in range(TRIES + 1):
        look_up(lab.pk, pairing.pk)
        work()


def test_a_secret_of_one_lab_brings_in_nothing_by_an_rx_id_of_another(
    two: tuple[Desk, Pairing], only: Walls, cast: Cast
) -> None:
    desk, theirs = two
    for standing in WALLS:
        order_id = desk.arrives()
        rx_id, before = desk.rx_id(order_id), fingerprint(cast.lab_a.pk)
        secret = callback_secret(desk.align, theirs.account_id)
        with only(standing):
            for body in ({"rxId": rx_id}, {"rxId": rx_id, "accountNumber": "479"}):
                assert desk.push_body(body, secret=secret) == 202
            until_given_up(cast.lab_b, theirs)
        assert fingerprint(cast.lab_a.pk) == before
        assert notified(cast.lab_b) == (rx_id, NotificationState.UNKNOWN)  # Align shows lab B nothing of that name
        assert cases_of(cast.lab_b) == []


def test_by_its_own_secret_the_same_push_brings_the_case_to_its_lab_alone(
    two: tuple[Desk, Pairing], only: Walls, cast: Cast
) -> None:
    """The control: the push above fails for whose it is, not for what it says."""
    desk, _ = two
    for standing in WALLS:
        order_id, before = desk.arrives(), fingerprint(cast.lab_b.pk)
        with only(standing):
            assert desk.push(order_id) == 202
            work()
        desk.assert_true_to_align(order_id)
        assert fingerprint(cast.lab_b.pk) == before


def test_the_installations_address_gives_a_push_to_the_lab_of_its_account(
    two: tuple[Desk, Pairing], only: Walls, cast: Cast, settings: Any
) -> None:
    desk, theirs = two
    for standing in WALLS:
        order_id = desk.arrives()
        rx_id, before = desk.rx_id(order_id), fingerprint(cast.lab_a.pk)
        with only(standing):
            body = {"rxId": rx_id, "accountNumber": "512"}
            assert desk.push_body(body, secret=settings.NOTIFICATION_SECRET) == 202
            until_given_up(cast.lab_b, theirs)
            assert fingerprint(cast.lab_a.pk) == before
            assert desk.push_body({**body, "accountNumber": "479"}, secret=settings.NOTIFICATION_SECRET) == 202
            work()
        desk.assert_true_to_align(order_id)
        assert notified(cast.lab_b) == (rx_id, NotificationState.UNKNOWN)
        assert notified(cast.lab_a) == (rx_id, NotificationState.DONE)
        assert cases_of(cast.lab_b) == []


def test_a_push_that_names_no_account_lands_with_the_lab_that_align_shows_it_to(
    two: tuple[Desk, Pairing], only: Walls, cast: Cast, settings: Any
) -> None:
    desk, _ = two
    for standing in WALLS:
        order_id, before = desk.arrives(), fingerprint(cast.lab_b.pk)
        with only(standing):
            assert desk.push_body({"rxId": desk.rx_id(order_id)}, secret=settings.NOTIFICATION_SECRET) == 202
            work()
        desk.assert_true_to_align(order_id)
        assert fingerprint(cast.lab_b.pk) == before
