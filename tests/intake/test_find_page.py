"""Find my scan: the lab's own cases first, then what Align says under each connection, in words."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from connector.intake import find as finding
from connector.pairing.models import FetchMode, State
from labportal.labs.models import User
from tests.align import change, pair_lab, words_on
from tests.cast import Cast
from tests.intake.desk import Desk, queued, work

ClientOf = Callable[[User], Client]
NOBODYS = "00000000-1111-4222-8333-444444444444"


def find(client: Client, q: str) -> str:
    answer = client.post(reverse("find"), {"q": q})
    assert answer.status_code == 302
    return words_on(client, answer.headers["Location"])


def ask(client: Client, q: str) -> str:
    """What the part about Align says, without a script in the browser."""
    answer = client.post(reverse("find_ask"), {"q": q}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("by", ["orderId", "rxId"])
def test_a_case_of_the_lab_is_found_by_its_numbers(desk: Desk, by: str) -> None:
    made = desk.align.create_order()
    desk.take_in()
    said = find(desk.browser, made[by])
    assert f"Winter, Ada {made['orderId']}" in said
    assert "No case in your lab fits" not in said


def test_a_case_of_the_lab_is_found_by_the_patients_name_in_any_order(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    desk.take_in()
    assert order_id in find(desk.browser, "ada win")
    assert "No case in your lab fits." in find(desk.browser, "ada summer")


def test_align_is_asked_about_an_rx_id_only(desk: Desk) -> None:
    order_id = desk.align.create_order()["orderId"]
    desk.take_in()
    assert "Ask Align" in find(desk.browser, NOBODYS)
    assert "Ask Align" not in find(desk.browser, "Winter")
    assert "Ask Align" not in find(desk.browser, order_id)


def test_a_look_alone_asks_align_nothing(desk: Desk) -> None:
    before = desk.align.truth()["calls"]
    find(desk.browser, NOBODYS)
    assert desk.align.truth()["calls"] == before


def test_a_scan_that_is_ready_at_align_is_recorded_and_fetched_once(desk: Desk) -> None:
    made = desk.align.create_order()
    assert "The scan was ready at Align. It is being fetched now" in ask(desk.browser, made["rxId"])
    assert queued() == ["download"]
    assert "its scan is on its way" in ask(desk.browser, made["rxId"])
    assert queued() == ["download"]
    work()
    assert "This scan is here already." in ask(desk.browser, made["rxId"])
    desk.assert_true_to_align(made["orderId"])
    assert desk.align.truth()["calls"]["download"] == 1


def test_a_viewer_is_told_and_nothing_is_fetched(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    made = desk.align.create_order()
    assert "An owner or a technician of your lab can fetch it." in ask(client_of(cast.vera), made["rxId"])
    assert desk.orders() == []
    assert queued() == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("Scanning", "The doctor is still scanning."),
        ("iTero Modeling", "Align is modeling this case."),
        ("Completed", "the status “Completed”. There are no files to fetch now."),
    ],
)
def test_a_case_without_files_is_explained_by_its_status(desk: Desk, status: str, words: str) -> None:
    made = desk.align.create_order()
    desk.align.tell(f"orders/{made['orderId']}/status", {"status": status})
    assert words in ask(desk.browser, made["rxId"])
    assert desk.orders() == []


def test_an_rx_id_that_nobody_knows_is_said_to_be_unknown(desk: Desk) -> None:
    assert "Align does not know this RxID under this connection." in ask(desk.browser, NOBODYS)


def test_every_connection_is_asked_and_the_other_ones_case_is_named(desk: Desk) -> None:
    pair_lab(desk.browser, desk.align, "480")
    made = desk.align.create_order()
    desk.take_in()
    said = ask(desk.browser, made["rxId"])
    assert said.count("item-head") == 2
    assert "This scan is here already." in said
    assert f"This scan belongs to your connection “{desk.pairing.account_name}”, not here." in said


def test_a_connection_that_needs_a_sign_in_is_not_asked(desk: Desk) -> None:
    change(desk.pairing, state=State.NEEDS_PAIRING, reason="invalid_grant")
    before = desk.align.truth()["calls"]
    assert "somebody must sign in at Align again" in ask(desk.browser, NOBODYS)
    assert desk.align.truth()["calls"] == before


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        (State.FORBIDDEN, "forbidden", "this account is not enabled for this portal"),
        (State.NEEDS_PAIRING, "broken", "somebody must sign in at Align again"),
    ],
)
def test_why_a_connection_is_not_asked_is_said(desk: Desk, state: State, reason: str, words: str) -> None:
    change(desk.pairing, state=state, reason=reason)
    assert words in ask(desk.browser, NOBODYS)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 503}, "Align&#x27;s server has a problem. Nothing was changed. Try again in a few minutes."),
        ({"reset_at": 0.0}, "The line to Align broke. Nothing was changed."),
        ({"html": True}, "Align answered with a web page, as during maintenance. Nothing was changed."),
        ({"garbage": True}, "the portal can&#x27;t read the answer"),
    ],
)
def test_an_align_that_does_not_answer_is_explained(desk: Desk, fault: dict[str, object], words: str) -> None:
    made = desk.align.create_order()
    desk.align.fault(call="orderByRxId", **fault)
    assert words in ask(desk.browser, made["rxId"])


def test_while_align_asks_for_quiet_it_is_not_asked(desk: Desk) -> None:
    desk.align.fault(call="orderByRxId", status=429, retry_after="120")
    assert "Align asked us to slow down." in ask(desk.browser, NOBODYS)
    before = desk.align.truth()["calls"]
    assert "Ask again in 3 min." in ask(desk.browser, NOBODYS)
    assert desk.align.truth()["calls"] == before


def test_a_scan_that_stopped_is_found_with_its_reason(desk: Desk) -> None:
    made = desk.align.create_order()
    desk.align.fault(call="download", status=410)
    desk.take_in()
    said = ask(desk.browser, made["rxId"])
    assert "its scan could not be fetched: Align no longer gives out these files." in said


def test_a_case_that_waits_for_somebody_to_ask_says_what_to_press(desk: Desk) -> None:
    change(desk.pairing, fetch_mode=FetchMode.ON_CLICK)
    made = desk.align.create_order()
    assert "press “Get all scan files”" in ask(desk.browser, made["rxId"])
    assert queued() == []


def test_a_newer_scan_of_a_known_case_is_fetched(desk: Desk) -> None:
    made = desk.align.create_order()
    desk.take_in()
    desk.align.tell(f"orders/{made['orderId']}/return", {"reason": "x"})
    desk.align.wait_for_order(made["orderId"], revision=2, listed=True)
    assert "A newer scan of this case was ready at Align." in ask(desk.browser, made["rxId"])


def test_without_a_script_the_whole_page_comes_back_with_the_answers(desk: Desk) -> None:
    answer = desk.browser.post(reverse("find_ask"), {"q": NOBODYS}).content.decode()
    assert "<!doctype html>" in answer
    assert "Align does not know this RxID under this connection." in answer


def test_another_labs_case_is_not_found(desk: Desk, client_of: ClientOf, cast: Cast) -> None:
    made = desk.align.create_order()
    desk.take_in()
    bruno = client_of(cast.bruno)
    assert "Winter" not in find(bruno, made["rxId"])
    assert "no connection to Align that can be asked" in ask(bruno, made["rxId"])


def test_a_search_with_marks_that_mean_something_to_the_database_finds_nothing(desk: Desk) -> None:
    desk.align.create_order()
    desk.take_in()
    assert "No case in your lab fits." in find(desk.browser, "%25")
    assert "No case in your lab fits." in find(desk.browser, "%00_%27")


def test_a_connection_that_was_ended_is_not_asked(desk: Desk) -> None:
    change(desk.pairing, state=State.UNPAIRED)
    form = {"rx_id": NOBODYS, "connection": str(desk.pairing.pk)}
    answer = desk.browser.post(reverse("attention_fetch"), form, follow=True)
    assert "The connection to Align is not active." in answer.content.decode()


def test_no_further_connection_is_asked_when_time_is_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "ENOUGH_SECONDS", -1.0)
    before = desk.align.truth()["calls"]
    assert "Align was too slow." in ask(desk.browser, NOBODYS)
    assert desk.align.truth()["calls"] == before
