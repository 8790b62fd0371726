"""Needs attention: all that stopped or is delayed, why, and what a person can do about it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from connector.intake import dismissing
from connector.intake.models import Notification
from connector.orders.models import TimelineEvent
from connector.pairing.models import State
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.align import change, words_on
from tests.cast import Cast
from tests.intake.desk import Desk, OpenDesk, queued, work

ClientOf = Callable[[User], Client]


def break_down(desk: Desk) -> str:
    """A case whose download is refused for good; gives its order id."""
    order_id: str = desk.align.create_order()["orderId"]
    desk.align.fault(call="download", path=order_id, status=410)
    desk.take_in()
    return order_id


def page(client: Client) -> str:
    return words_on(client, reverse("attention"))


def dismiss(desk: Desk, order_id: str, note: str = "Sent again") -> str:
    desk.browser.post(reverse("attention_dismiss", args=[desk.order(order_id).pk]), {"number": "1", "note": note})
    return page(desk.browser)


def test_with_nothing_wrong_the_page_says_so(desk: Desk) -> None:
    desk.align.create_order()
    desk.take_in()
    assert "Nothing needs attention" in page(desk.browser)


def test_a_stopped_scan_stands_there_with_its_reason_and_counts_in_the_menu(desk: Desk) -> None:
    order_id = break_down(desk)
    said = page(desk.browser)
    assert f"{order_id} · First scan" in said
    assert "Ask the practice to send the scan again." in said
    assert "Tried once · No more tries by itself" in said
    assert "Needs attention 1" in said


def test_a_delayed_scan_says_when_it_is_tried_next_and_does_not_count_as_bad(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    desk.align.fault(call="download", reset_at=0.5)
    desk.take_in()
    said = page(desk.browser)
    assert "Delayed: the portal tries again by itself 1" in said
    assert order_id in said
    assert "Next try in 1 min" in said
    assert "Needs attention Find my scan" in said


def test_a_delayed_scan_of_a_stopped_connection_waits_for_it(desk: Desk) -> None:
    desk.align.create_order()
    desk.align.fault(call="download", reset_at=0.5)
    desk.take_in()
    change(desk.pairing, state=State.NEEDS_PAIRING, reason="invalid_grant")
    said = page(desk.browser)
    assert "Waits until its connection works again" in said
    assert "Sign in at Align again Align no longer accepts our sign-in." in said


def test_a_zip_that_is_not_safe_is_listed_as_held_back_and_fetched_again_when_asked(desk: Desk) -> None:
    order_id = desk.align.create_order(zip="encrypted")["orderId"]
    desk.poll()
    for _ in range(3):
        desk.ripen()
        desk.sweep()
    assert "Held back A file in the zip is locked with a password. Press “Try again”." in page(desk.browser)
    desk.browser.post(reverse("attention_try_again", args=[desk.order(order_id).pk]))
    assert desk.revision(order_id).state == "retry"
    assert queued() == ["download"]


def test_the_last_failure_does_not_promise_another_try(open_desk: OpenDesk) -> None:
    desk = open_desk(no_range=True)  # otherwise each attempt gets further than the one before
    order_id = desk.align.create_order()["orderId"]
    desk.align.fault(call="download", truncate_at=0.5, times=0)
    desk.poll()
    for _ in range(12):
        desk.ripen()
        desk.sweep()
    assert desk.revision(order_id).state == "dead"
    said = page(desk.browser)
    assert "We try again by ourselves" not in said
    assert "Press “Try again”." in said


def test_try_all_again_makes_every_scan_due_but_those_that_align_gave_up(desk: Desk) -> None:
    gone = break_down(desk)
    for _ in range(2):
        desk.align.create_order()
    desk.align.fault(call="download", reset_at=0.5, times=2)
    desk.take_in()
    answer = desk.browser.post(reverse("attention_try_all"), follow=True)
    assert "2 cases are being fetched again now." in answer.content.decode()
    assert "more are left" not in answer.content.decode()
    work()
    assert {order.order_id: desk.revision(order.order_id).state for order in desk.orders()}[gone] == "gone"
    assert sum(desk.revision(order.order_id).state == "ready" for order in desk.orders()) == 2


def test_try_all_again_says_what_is_left_and_the_next_press_takes_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dismissing, "AT_ONCE", 2)
    for _ in range(3):
        desk.align.create_order()
    desk.align.fault(call="download", reset_at=0.5, times=3)
    desk.take_in()
    answer = desk.browser.post(reverse("attention_try_all"), follow=True)
    said = "2 cases are being fetched again now. 1 more is left: press “Try all again” once more."
    assert said in answer.content.decode()
    answer = desk.browser.post(reverse("attention_try_all"), follow=True)
    assert "1 case is being fetched again now.<" in answer.content.decode().replace(" <", "<")
    answer = desk.browser.post(reverse("attention_try_all"), follow=True)
    assert "There is nothing to try again." in answer.content.decode()
    work()
    assert {desk.revision(order.order_id).state for order in desk.orders()} == {"ready"}


def test_a_dismissed_scan_leaves_the_list_and_the_count_and_its_note_is_on_the_timeline(desk: Desk) -> None:
    order_id = break_down(desk)
    said = dismiss(desk, order_id, "Practice sends it again")
    assert "Stopped: somebody must look" not in said
    assert "Needs attention Find my scan" in said
    assert "“ Practice sends it again ” Anna" in said
    assert desk.order(order_id).problem == ""
    case = words_on(desk.browser, reverse("case", args=[desk.order(order_id).pk]))
    assert "Taken off “Needs attention”: Practice sends it again" in case


def test_a_dismissed_scan_that_fails_again_comes_back(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    desk.align.fault(call="download", path=order_id, status=400, times=2)
    desk.take_in()
    assert "Stopped: somebody must look" not in dismiss(desk, order_id)
    desk.browser.post(reverse("try_again", args=[desk.order(order_id).pk]))
    work()
    said = page(desk.browser)
    assert "Stopped: somebody must look 1" in said
    assert "Needs attention 1" in said


def test_a_dismissal_needs_a_note(desk: Desk) -> None:
    order_id = break_down(desk)
    assert "Write a short note first" in dismiss(desk, order_id, "  ")
    assert desk.order(order_id).problem == "gone"


def test_a_dismissal_of_an_older_scan_does_not_hide_the_newer_one(desk: Desk) -> None:
    order_id = break_down(desk)
    url = reverse("attention_dismiss", args=[desk.order(order_id).pk])
    answer = desk.browser.post(url, {"number": "7", "note": "x"}, follow=True)
    assert "This case has changed meanwhile." in answer.content.decode()
    assert "Stopped: somebody must look 1" in page(desk.browser)


def test_a_push_that_align_cannot_explain_is_shown_until_its_case_comes_in(desk: Desk) -> None:
    made = desk.align.create_order()
    with in_lab(desk.lab.pk):
        Notification.objects.create(
            lab=desk.lab, pairing=desk.pairing, rx_id=made["rxId"], state="unknown", reason="not_found", attempts=5
        )
    said = page(desk.browser)
    assert f"{made['rxId']} Align does not know this RxID under this connection." in said
    assert "Asked 5 times" in said
    desk.take_in()
    assert "Nothing needs attention" in page(desk.browser)


def test_a_scan_is_fetched_by_its_rx_id(desk: Desk) -> None:
    made = desk.align.create_order()
    form = {"rx_id": f" {made['rxId']} ", "connection": str(desk.pairing.pk)}
    answer = desk.browser.post(reverse("attention_fetch"), form)
    assert answer["Location"] == reverse("case", args=[desk.order(made["orderId"]).pk])
    work()
    desk.assert_true_to_align(made["orderId"])


def test_an_rx_id_that_align_does_not_know_is_answered_in_words(desk: Desk) -> None:
    form = {"rx_id": "00000000-1111-4222-8333-444444444444", "connection": str(desk.pairing.pk)}
    answer = desk.browser.post(reverse("attention_fetch"), form, follow=True)
    assert "Align does not know this RxID under this connection." in answer.content.decode()


def test_what_cannot_be_an_rx_id_is_not_asked_for(desk: Desk) -> None:
    before = desk.align.truth()["calls"]
    form = {"rx_id": "Sørensen, Ingrid", "connection": str(desk.pairing.pk)}
    answer = desk.browser.post(reverse("attention_fetch"), form, follow=True)
    assert "This is not an RxID." in answer.content.decode()
    assert desk.align.truth()["calls"] == before


def test_another_labs_connection_is_not_asked(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    form = {"rx_id": "00000000-1111-4222-8333-444444444444", "connection": str(desk.pairing.pk)}
    assert client_of(cast.bruno).post(reverse("attention_fetch"), form).status_code == 404


def test_a_viewer_looks_but_finds_no_buttons(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    order_id = break_down(desk)
    vera = client_of(cast.vera)
    said = page(vera)
    assert order_id in said
    assert "Dismiss" not in said
    assert "Fetch a scan by its RxID" not in said
    assert vera.post(reverse("attention_dismiss", args=[desk.order(order_id).pk]), {"note": "x"}).status_code == 403


def test_another_lab_sees_nothing_of_it(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    order_id = break_down(desk)
    dismiss(desk, order_id)
    assert order_id not in page(client_of(cast.bruno))


@pytest.mark.usefixtures("desk")
def test_the_lane_still_answers_its_old_address(anna: Client) -> None:
    assert anna.get("/?lane=attention").status_code == 200


def test_the_timeline_keeps_who_dismissed(desk: Desk, cast: Cast) -> None:
    order_id = break_down(desk)
    dismiss(desk, order_id)
    with in_lab(desk.lab.pk):
        row = TimelineEvent.objects.of(desk.lab).get(kind="dismissed")
        assert row.by_id == cast.anna.pk
