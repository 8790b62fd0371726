"""A return goes for the scan that a person has looked at; a newer one that nobody has seen is not sent back. And what
becomes of a return whose connection ends."""

import re
from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.pairing.disconnect import begin_unpair
from connector.retention.patient import remove
from connector.returns.models import Return, ReturnState
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.align import change, words_on
from tests.cast import Cast
from tests.intake.desk import Desk, work
from tests.returns.test_return import ask, at_align, due_again, patient_doctor, returns, taken_in  # noqa: F401 - fixture

WORDS = "about the first scan"


def doctor_scans_again(desk: Desk, order_id: str) -> None:
    """Asked by telephone or in Align's portal, so the lab's portal did not know of it."""
    desk.align.tell(f"orders/{order_id}/return", {"reason": "bite", "comment": "by telephone"})
    desk.align.wait_for_order(order_id, revision=2, listed=True)


def sent_by_us(desk: Desk, order_id: str) -> list[str]:
    return [comment for _, comment in at_align(desk, order_id) if comment != "by telephone"]


def test_a_scan_that_came_in_while_the_form_was_open_is_shown_before_it_goes_back(
    desk: Desk, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    order_id = taken_in(desk)
    url = f"/cases/{desk.order(order_id).pk}/return"
    browser = client_of(cast.theo)

    def scan_of(page: str) -> str:
        found = re.search(r'name="scan" value="(\d+)"', page)
        assert found is not None
        return found[1]

    form = {"reason": "margin", "comment": WORDS, "scan": scan_of(browser.get(url).content.decode())}
    doctor_scans_again(desk, order_id)
    desk.take_in()
    answer = browser.post(url, form)
    assert (answer.status_code, returns(desk)) == (400, [])
    page = answer.content.decode()
    assert "A newer scan of this case came in while you wrote" in page
    assert WORDS in page, "nothing has to be typed again"
    assert browser.post(url, form | {"scan": scan_of(page)}).status_code == 302
    work()
    assert sent_by_us(desk, order_id) == [f"Margin is not clear. {WORDS}"]


def assert_overtaken(desk: Desk, order_id: str) -> None:
    assert sent_by_us(desk, order_id) == []
    assert [(row.state, row.problem) for row in returns(desk)] == [(ReturnState.REFUSED, "overtaken")]
    assert [row.number for row in desk.revisions(order_id)] == [1, 2]
    assert desk.order(order_id).waiting_since is None
    words = words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    assert "Not sent: a newer scan came first" in words
    assert "The return was not sent to Align: A newer scan of this case came before Align was told" in words


def test_a_scan_that_came_in_while_the_return_waited_is_not_sent_back(desk: Desk, cast: Cast) -> None:
    order_id = taken_in(desk)
    change(desk.pairing, paused_until=timezone.now() + timedelta(hours=1), reason="rate_limited")
    ask(desk, order_id, cast)
    work()
    doctor_scans_again(desk, order_id)
    desk.take_in()
    due_again(desk)
    desk.sweep()
    assert_overtaken(desk, order_id)


def test_nor_is_one_that_is_still_at_align_when_somebody_has_signed_in_again(desk: Desk, cast: Cast) -> None:
    order_id = taken_in(desk)
    made = ask(desk, order_id, cast)
    change(desk.pairing, state="needs_pairing", reason="invalid_grant")
    for _ in range(3):
        due_again(desk)
        desk.sweep()
    assert [(row.state, row.attempts) for row in returns(desk)] == [(ReturnState.QUEUED, 0)]
    doctor_scans_again(desk, order_id)
    change(desk.pairing, state="active", reason="", next_due=timezone.now() + timedelta(hours=1))
    with in_lab(desk.lab.pk):
        Return.objects.of(desk.lab).filter(pk=made.pk).update(created_at=timezone.now() - timedelta(days=3))
    due_again(desk)
    desk.sweep()
    assert_overtaken(desk, order_id)


def test_a_return_whose_connection_ends_is_told_and_holds_up_no_removal(
    patient_doctor: Desk,  # noqa: F811 - the fixture
    cast: Cast,
) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    change(desk.pairing, state="needs_pairing", reason="invalid_grant")
    ask(desk, order_id, cast)
    work()
    assert remove(lab=desk.lab, ids=[desk.order(order_id).pk], by=None) == (0, {"returning": 1})
    with in_lab(desk.lab.pk):
        begin_unpair(pairing=desk.pairing_now())
    work()
    due_again(desk)
    desk.sweep()
    assert desk.pairing_now().state == "unpaired"
    said = words_on(desk.browser, reverse("attention"))
    assert "Not sent to Align The connection to Align ended before Align was told" in said
    assert at_align(desk, order_id) == []
    assert remove(lab=desk.lab, ids=[desk.order(order_id).pk], by=None) == (1, {})
