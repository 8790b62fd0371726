"""What the operator sees of cases: where they stand and why, in words; whose they are, but not who the patient is."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connector.orders.models import Order, Revision, RevisionState
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.orders.make import make_order, make_pairing

LIST, REVISIONS = "/admin/orders/order/", "/admin/orders/revision/"


@pytest.fixture
def order(committed: None, cast: Cast) -> Order:
    return make_order(cast.lab_a, make_pairing(cast.lab_a), "111222333")


@pytest.fixture
def read(cast: Cast, client_of: Callable[..., Client]) -> Callable[..., str]:
    """The text of a page, as the operator gets it."""
    client = client_of(cast.olga)

    def page(address: str, **asked: Any) -> str:
        return client.get(address, asked).content.decode()

    return page


def stop(order: Order, reason: str) -> None:
    with in_lab(order.lab_id):
        Revision.objects.of(order.lab_id).update(state=RevisionState.DEAD, reason=reason, size=1234567)
        Order.objects.of(order.lab_id).update(problem=reason)


def test_the_list_names_order_lab_and_status_and_no_patient(order: Order, read: Callable[..., str]) -> None:
    page = read(LIST)
    assert all(words in page for words in ("111222333", "Lab A", "Ready for Download", "New"))
    assert not any(name in page for name in ("Sørensen", "Ingrid", "Zahn", "Praxis"))


def test_the_page_of_a_case_names_no_patient(order: Order, read: Callable[..., str]) -> None:
    page = read(f"{LIST}{order.pk}/change/")
    assert "111222333" in page
    assert not any(name in page for name in ("Sørensen", "Ingrid", "Zahn", "Praxis"))


def test_a_stopped_case_says_why(order: Order, read: Callable[..., str]) -> None:
    stop(order, "gone")
    assert "Ask the practice to send the scan again." in read(LIST)
    assert "Ask the practice to send the scan again." in read(REVISIONS)
    assert "Stopped" in read(REVISIONS)


def test_revisions_can_be_filtered_by_state(order: Order, read: Callable[..., str]) -> None:
    stop(order, "gone")
    assert "1 revision\n" in read(REVISIONS, state="dead")
    assert "0 revisions\n" in read(REVISIONS, state="ready")


def test_a_case_is_found_by_its_order_number(order: Order, read: Callable[..., str]) -> None:
    assert "1 order\n" in read(LIST, q="111222")
    assert "0 orders\n" in read(LIST, q="Sørensen")


def test_no_link_of_the_operators_pages_leads_in_a_circle(committed: None, read: Callable[..., str]) -> None:
    assert "View site" not in read("/admin/")
