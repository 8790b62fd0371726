"""Return to doctor: told to Align once in effect, with words for whatever stands in the way."""

import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from connector.orders.models import RevisionState
from connector.returns import sending
from connector.returns.models import Return, ReturnState
from connector.returns.sending import TRIES, send
from connector.returns.services import ReturnRefused, request_return
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.align import change, words_on
from tests.cast import Cast
from tests.intake.desk import Desk, OpenDesk, at_once, sha256, work

COMMENT = "The margin at 26 is under the gum."


def taken_in(desk: Desk) -> str:
    order_id = desk.arrives()
    desk.take_in()
    return order_id


def ask(desk: Desk, order_id: str, cast: Cast) -> Return:
    with in_lab(desk.lab.pk):
        return request_return(order=desk.order(order_id), by=cast.theo, reason="margin", comment=COMMENT)


def returns(desk: Desk) -> list[Return]:
    with in_lab(desk.lab.pk):
        return list(Return.objects.of(desk.lab).order_by("created_at"))


def due_again(desk: Desk) -> None:
    change(desk.pairing, paused_until=None)
    with in_lab(desk.lab.pk):
        Return.objects.of(desk.lab).filter(state=ReturnState.QUEUED).update(next_due=timezone.now())


def at_align(desk: Desk, order_id: str) -> list[tuple[str, str]]:
    return [(row["reason"], row["comment"]) for row in desk.align.order(order_id)["returns"]]


@pytest.fixture
def patient_doctor(open_desk: OpenDesk) -> Desk:
    """A doctor who does not scan again while the test runs."""
    return open_desk(rescan_after=3600)


def test_a_return_reaches_the_doctor_with_reason_and_comment_and_the_case_waits(
    patient_doctor: Desk, cast: Cast, client_of: Callable[[User], Client]
) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    page = f"/cases/{desk.order(order_id).pk}"
    answer = client_of(cast.theo).post(f"{page}/return", {"reason": "margin", "comment": COMMENT})
    assert answer.status_code == 302
    work()
    assert at_align(desk, order_id) == [("margin", f"Margin is not clear. {COMMENT}")]
    assert desk.order(order_id).waiting_since is not None
    assert "Waiting for doctor" in words_on(desk.browser, "/")
    assert desk.timeline(order_id)[-2:] == ["return_queued", "return_sent"]
    asked = words_on(desk.browser, page)
    assert "Asked of the doctor" in asked
    assert COMMENT in asked
    assert "Waiting for the doctor" in asked


@pytest.mark.parametrize("dialect", ["assumed", "contract"])
def test_the_re_scan_is_a_second_revision_of_the_same_case(open_desk: OpenDesk, cast: Cast, dialect: str) -> None:
    """The whole way in both dialects: pair, poll, download, return, re-scan."""
    desk = open_desk(dialect=dialect)
    order_id = taken_in(desk)
    first = desk.zip_of(desk.revision(order_id))
    before = sha256(first.read_bytes()), first.stat().st_mtime_ns
    ask(desk, order_id, cast)
    work()
    desk.align.wait_for_order(order_id, revision=2, listed=True)
    desk.take_in()
    assert [(r.number, r.cause, r.state) for r in desk.revisions(order_id)] == [
        (1, "first", RevisionState.READY),
        (2, "rescan", RevisionState.READY),
    ]
    assert desk.order(order_id).waiting_since is None
    assert (sha256(first.read_bytes()), first.stat().st_mtime_ns) == before
    desk.assert_true_to_align(order_id)
    assert "re-scan 2" in words_on(desk.browser, "/").lower()
    changed = words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    assert "Upper jaw: changed" in changed
    assert "Lower jaw: identical" in changed
    assert "Re-scan is here" in changed, "beside what the doctor was asked"


def test_pressed_twice_is_one_return(patient_doctor: Desk, cast: Cast) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    page_of_both = desk.order(order_id)
    ask(desk, order_id, cast)
    with pytest.raises(ReturnRefused) as refused:
        ask(desk, order_id, cast)
    assert "just being sent" in refused.value.words
    work()
    with in_lab(desk.lab.pk), pytest.raises(ReturnRefused) as waiting:
        request_return(order=page_of_both, by=cast.theo, reason="bite", comment="")
    assert "with the doctor already" in waiting.value.words
    assert len(at_align(desk, order_id)) == len(returns(desk)) == 1


def test_pressed_in_four_browsers_at_once_is_one_return(patient_doctor: Desk, cast: Cast) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)

    def press() -> None:
        with contextlib.suppress(ReturnRefused):
            ask(desk, order_id, cast)

    at_once(*[press] * 4)
    work()
    assert len(at_align(desk, order_id)) == len(returns(desk)) == 1


def test_two_workers_at_once_tell_align_once(patient_doctor: Desk, cast: Cast) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    made = ask(desk, order_id, cast)
    at_once(*[lambda: send(desk.lab.pk, made.pk)] * 3)
    assert len(at_align(desk, order_id)) == 1
    assert desk.timeline(order_id).count("return_sent") == 1


def test_a_status_that_allows_no_return_is_said_in_words(desk: Desk, cast: Cast) -> None:
    order_id = taken_in(desk)
    desk.align.tell(f"orders/{order_id}/status", {"status": "iTero Milling"})
    ask(desk, order_id, cast)
    work()
    (made,) = returns(desk)
    assert (made.state, made.problem) == (ReturnState.REFUSED, "conflict")
    order = desk.order(order_id)
    assert order.waiting_since is None
    assert order.vendor_status == "iTero Milling"
    assert "Align does not allow this in the case's present status" in words_on(desk.browser, f"/cases/{order.pk}")


def test_an_outage_is_waited_out(patient_doctor: Desk, cast: Cast) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    ask(desk, order_id, cast)
    desk.align.fault(call="return", status=503)
    work()
    (made,) = returns(desk)
    assert (made.state, made.problem) == (ReturnState.QUEUED, "vendor_unavailable")
    assert made.next_due is not None
    assert made.next_due > timezone.now()
    due_again(desk)
    desk.sweep()
    assert len(at_align(desk, order_id)) == 1
    assert desk.order(order_id).waiting_since is not None


def test_an_answer_that_was_lost_is_no_second_return(patient_doctor: Desk, cast: Cast) -> None:
    """Align takes the return and the line breaks before its answer is here."""
    desk = patient_doctor
    order_id = taken_in(desk)
    ask(desk, order_id, cast)
    desk.align.fault(call="return", reset_at=0.0)
    work()
    due_again(desk)
    desk.sweep()
    (made,) = returns(desk)
    assert (made.state, made.problem) == (ReturnState.SENT, "")
    assert len(at_align(desk, order_id)) == 1
    assert desk.order(order_id).waiting_since is not None


class Killed(BaseException):
    """Nothing of ours catches it, as nothing catches SIGKILL."""


def die_after_align_accepted(desk: Desk, made: Return) -> None:
    def killed(*_: Any) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending, "_sent", killed)
        with pytest.raises(Killed):
            send(desk.lab.pk, made.pk)


def test_a_worker_that_died_after_align_accepted_does_not_end_as_a_refusal(patient_doctor: Desk, cast: Cast) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    die_after_align_accepted(desk, ask(desk, order_id, cast))
    due_again(desk)
    desk.sweep()
    (made,) = returns(desk)
    assert (made.state, made.problem) == (ReturnState.SENT, "")
    assert len(at_align(desk, order_id)) == 1
    assert desk.order(order_id).waiting_since is not None


def test_control_without_asking_align_the_same_crash_would_end_as_a_refusal(
    patient_doctor: Desk, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    die_after_align_accepted(desk, ask(desk, order_id, cast))
    due_again(desk)
    monkeypatch.setattr(sending, "_came_through", lambda _: False)
    desk.sweep()
    assert [row.problem for row in returns(desk)] == ["conflict"]


def test_a_re_scan_that_came_before_the_retry_is_not_sent_back_to_the_doctor(desk: Desk, cast: Cast) -> None:
    order_id = taken_in(desk)
    die_after_align_accepted(desk, ask(desk, order_id, cast))
    desk.align.wait_for_order(order_id, revision=2, listed=True)
    due_again(desk)
    desk.sweep()
    work()
    assert len(at_align(desk, order_id)) == 1
    assert [row.state for row in returns(desk)] == [ReturnState.SENT]
    assert desk.order(order_id).waiting_since is None
    assert [r.number for r in desk.revisions(order_id)] == [1, 2]


def test_a_case_that_somebody_returned_in_aligns_portal_is_found_with_the_doctor(
    patient_doctor: Desk, cast: Cast
) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    desk.align.tell(f"orders/{order_id}/return", {"reason": "bite", "comment": "from the portal"})
    ask(desk, order_id, cast)
    work()
    assert [row.state for row in returns(desk)] == [ReturnState.SENT]
    assert desk.order(order_id).waiting_since is not None
    assert "with the doctor already" in words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")


def test_a_return_waits_with_its_pairing_however_long_and_goes_out_after_the_sign_in(desk: Desk, cast: Cast) -> None:
    order_id = taken_in(desk)
    made = ask(desk, order_id, cast)
    change(desk.pairing, state="needs_pairing", reason="invalid_grant")
    work()
    assert [(row.state, row.problem) for row in returns(desk)] == [(ReturnState.QUEUED, "invalid_grant")]
    with in_lab(desk.lab.pk):
        Return.objects.of(desk.lab).filter(pk=made.pk).update(attempts=TRIES + 5)
    due_again(desk)
    desk.sweep()
    assert [row.state for row in returns(desk)] == [ReturnState.QUEUED]
    change(desk.pairing, state="active", reason="")
    due_again(desk)
    desk.sweep()
    assert [row.state for row in returns(desk)] == [ReturnState.SENT]


def test_a_return_that_is_not_due_is_not_sent(patient_doctor: Desk, cast: Cast) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    made = ask(desk, order_id, cast)
    with in_lab(desk.lab.pk):
        Return.objects.of(desk.lab).filter(pk=made.pk).update(next_due=timezone.now() + timedelta(minutes=1))
    work()
    assert at_align(desk, order_id) == []


@pytest.mark.parametrize(("person", "status"), [("vera", 403), ("bruno", 404), ("nina", 403)])
def test_only_those_who_work_in_the_lab_may_return_its_cases(
    desk: Desk, cast: Cast, client_of: Callable[[User], Client], person: str, status: int
) -> None:
    order_id = desk.arrives()
    desk.poll()
    url = f"/cases/{desk.order(order_id).pk}/return"
    browser = client_of(getattr(cast, person))
    assert browser.post(url, {"reason": "margin", "comment": ""}).status_code == status
    assert returns(desk) == []


def test_a_form_without_a_reason_or_with_too_many_words_says_so(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    url = f"/cases/{desk.order(order_id).pk}/return"
    empty = desk.browser.post(url, {"reason": "", "comment": ""})
    assert empty.status_code == 400
    assert "Choose why the case must be scanned again" in empty.content.decode()
    long = desk.browser.post(url, {"reason": "margin", "comment": "x" * 1001})
    assert "1,001 characters" in long.content.decode()
    assert returns(desk) == []
