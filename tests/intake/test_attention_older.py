"""Needs attention shows all that stopped: scans that a newer one has followed, and returns that Align refused."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.orders.models import Order, Revision, RevisionState, TimelineEvent
from connector.orders.repair import Bad, repair
from connector.returns.models import Return, ReturnState
from connector.returns.services import request_return
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.align import words_on
from tests.cast import Cast
from tests.intake.desk import Desk, work

ClientOf = Callable[[User], Client]


def page(client: Client) -> str:
    return words_on(client, reverse("attention"))


def case_page(desk: Desk, order_id: str, number: int) -> str:
    return words_on(desk.browser, reverse("case", args=[desk.order(order_id).pk]) + f"?revision={number}")


def post(desk: Desk, name: str, order_id: str, client: Client | None = None, **form: str) -> int:
    url = reverse(name, args=[desk.order(order_id).pk])
    return (client or desk.browser).post(url, form).status_code


def in_lane(desk: Desk) -> list[str]:
    with in_lab(desk.lab.pk):
        return list(Order.objects.of(desk.lab).exclude(problem="").values_list("order_id", flat=True))


def comes_again(desk: Desk, order_id: str) -> None:
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    desk.take_in()
    assert (desk.revision(order_id).number, desk.revision(order_id).state) == (2, RevisionState.READY)


def stopped_and_replaced(desk: Desk, status: int = 410) -> str:
    """A case whose first scan can't be fetched, and whose second is here."""
    order_id: str = desk.align.create_order()["orderId"]
    desk.align.fault(call="download", path=order_id, status=status, times=1)
    desk.take_in()
    comes_again(desk, order_id)
    return order_id


def damaged_older(desk: Desk) -> str:
    """As `verify --repair` leaves a case whose older zip is missing."""
    order_id: str = desk.align.create_order()["orderId"]
    desk.take_in()
    comes_again(desk, order_id)
    first = desk.revisions(order_id)[0]
    desk.zip_of(first).unlink()
    repair(Bad(first, "missing"))
    return order_id


@pytest.mark.parametrize(("status", "state"), [(410, "gone"), (400, "dead")])
def test_an_older_scan_that_never_came_stays_there_with_its_place_and_no_button_that_cannot_help(
    desk: Desk, status: int, state: str
) -> None:
    order_id = stopped_and_replaced(desk, status)
    assert desk.revisions(order_id)[0].state == state
    said = page(desk.browser)
    assert f"{order_id} · First scan · scan 1 of 2" in said
    assert "A newer scan of the case has come since, and Align gives out that one alone." in said
    assert "Needs attention 1" in said
    assert "Try again" not in said
    assert in_lane(desk) == [order_id]


def test_a_damaged_older_scan_is_there_and_its_words_name_the_backup(desk: Desk) -> None:
    order_id = damaged_older(desk)
    said = page(desk.browser)
    assert "Stopped: somebody must look 1" in said
    assert "scan 1 of 2 Held back The stored file is missing or changed on our disk" in said
    assert "it can come back from a backup" in said
    assert in_lane(desk) == [order_id]
    case = case_page(desk, order_id, 1)
    assert "First scan: The scan's zip" in case
    assert "it can come back from a backup" in case
    assert "it can come back from a backup" not in case_page(desk, order_id, 2)


def test_a_held_back_older_scan_is_there(desk: Desk) -> None:
    order_id = desk.align.create_order(zip="encrypted")["orderId"]
    desk.poll()
    for _ in range(3):
        desk.ripen()
        desk.sweep()
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    desk.poll()
    said = page(desk.browser)
    assert "scan 1 of 2 Held back A file in the zip is locked with a password. A newer scan" in said


def test_dismissing_the_older_scan_takes_it_off_list_menu_and_lane(desk: Desk) -> None:
    order_id = stopped_and_replaced(desk)
    post(desk, "attention_dismiss", order_id, number="1", note="The new one will do")
    said = page(desk.browser)
    assert "Stopped: somebody must look" not in said
    assert "Needs attention Find my scan" in said
    assert in_lane(desk) == []


def test_dismissing_the_newest_leaves_the_older_one(desk: Desk) -> None:
    order_id = stopped_and_replaced(desk)
    desk.update_revision(order_id, state=RevisionState.DEAD, reason="bad_request")
    post(desk, "attention_dismiss", order_id, number="2", note="Not needed")
    assert desk.order(order_id).problem == "gone"
    assert "Stopped: somebody must look 1" in page(desk.browser)


def test_a_newer_scan_that_is_tried_again_does_not_hide_the_older_one(desk: Desk) -> None:
    order_id = stopped_and_replaced(desk)
    desk.update_revision(order_id, state=RevisionState.DEAD, reason="bad_request")
    post(desk, "attention_try_again", order_id)
    assert desk.order(order_id).problem == "gone"


def test_another_lab_sees_nothing_of_an_older_scan(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    assert stopped_and_replaced(desk) not in page(client_of(cast.bruno))


# --- returns that Align refused ------------------------------------------------------------------------------------


def refused_return(desk: Desk, cast: Cast) -> str:
    order_id: str = desk.align.create_order()["orderId"]
    desk.take_in()
    desk.align.fault(call="return", status=400)
    with in_lab(desk.lab.pk):
        request_return(order=desk.order(order_id), by=cast.theo, reason="bite", comment="")
    work()
    with in_lab(desk.lab.pk):
        assert Return.objects.of(desk.lab).get().state == ReturnState.REFUSED
    return order_id


def test_a_refused_return_is_there_with_its_reason_and_the_way_on(desk: Desk, cast: Cast) -> None:
    order_id = refused_return(desk, cast)
    said = page(desk.browser)
    assert "Returns that Align did not take: the doctor was not asked 1" in said
    assert f"{order_id} · First scan Refused by Align Align did not accept our request." in said
    assert "Needs attention 1" in said
    url = reverse("case_return", args=[desk.order(order_id).pk])
    assert f'href="{url}"' in desk.browser.get(reverse("attention")).content.decode()


def test_a_refused_return_leaves_when_it_is_asked_for_again(desk: Desk, cast: Cast) -> None:
    order_id = refused_return(desk, cast)
    with in_lab(desk.lab.pk):
        request_return(order=desk.order(order_id), by=cast.theo, reason="bite", comment="")
    assert "Nothing needs attention" in page(desk.browser)
    desk.align.clear_faults()
    work()
    assert "Nothing needs attention" in page(desk.browser)


def test_a_refused_return_leaves_when_a_newer_scan_is_here(desk: Desk, cast: Cast) -> None:
    comes_again(desk, refused_return(desk, cast))
    assert "Nothing needs attention" in page(desk.browser)


def test_a_refused_return_is_dismissed_with_a_note_that_stands_on_the_timeline(desk: Desk, cast: Cast) -> None:
    order_id = refused_return(desk, cast)
    post(desk, "return_dismiss", order_id, note=" ")
    assert "Returns that Align did not take" in page(desk.browser)
    post(desk, "return_dismiss", order_id, note="Rang the practice")
    said = page(desk.browser)
    assert "Nothing needs attention" in said
    assert "Needs attention Find my scan" in said
    assert "Refused return taken off “Needs attention”: Rang the practice" in case_page(desk, order_id, 1)
    with in_lab(desk.lab.pk):
        assert TimelineEvent.objects.of(desk.lab).get(kind="return_dismissed").by_id == cast.anna.pk
    post(desk, "return_dismiss", order_id, note="twice")
    with in_lab(desk.lab.pk):
        assert TimelineEvent.objects.of(desk.lab).filter(kind="return_dismissed").count() == 1


def test_a_viewer_reads_of_it_and_cannot_dismiss_it(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    order_id = refused_return(desk, cast)
    vera = client_of(cast.vera)
    said = page(vera)
    assert order_id in said
    assert "Return again" not in said
    assert post(desk, "return_dismiss", order_id, vera, note="x") == 403


def test_another_lab_sees_and_dismisses_nothing_of_it(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    order_id = refused_return(desk, cast)
    bruno = client_of(cast.bruno)
    assert order_id not in page(bruno)
    assert post(desk, "return_dismiss", order_id, bruno, note="x") == 404
    assert "Returns that Align did not take" in page(desk.browser)


def test_a_case_that_was_removed_has_no_refused_return(desk: Desk, cast: Cast) -> None:
    order_id = refused_return(desk, cast)
    with in_lab(desk.lab.pk):
        Order.objects.of(desk.lab).filter(order_id=order_id).update(erased_at=timezone.now())
        Revision.objects.of(desk.lab).update(state=RevisionState.ERASED)
    assert "Nothing needs attention" in page(desk.browser)
