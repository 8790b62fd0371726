"""A return waits for Align as long as it takes, and keeps quiet while Align asked for silence."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connector.returns.models import Return, ReturnState
from connector.returns.sending import TRIES
from labportal.labs.tenancy import in_lab
from tests.align import change, words_on
from tests.cast import Cast
from tests.intake.desk import Desk, work
from tests.returns.test_return import ask, at_align, due_again, patient_doctor, returns, taken_in  # noqa: F401 - fixture


@pytest.mark.parametrize("fault", [{"reset_at": 0.0}, {"status": 503}], ids=["line", "5xx"])
def test_a_night_without_align_does_not_end_as_a_refusal(
    patient_doctor: Desk,  # noqa: F811 - the fixture
    cast: Cast,
    fault: dict[str, float],
) -> None:
    desk = patient_doctor
    order_id = taken_in(desk)
    made = ask(desk, order_id, cast)
    with in_lab(desk.lab.pk):
        Return.objects.of(desk.lab).filter(pk=made.pk).update(attempts=TRIES + 5)
    for call in ("orderByRxId", "return"):
        desk.align.fault(call=call, **fault)
        due_again(desk)
        desk.sweep()
        assert [row.state for row in returns(desk)] == [ReturnState.QUEUED]
    due_again(desk)
    desk.sweep()
    assert [row.state for row in returns(desk)] == [ReturnState.SENT]
    assert len(at_align(desk, order_id)) == 1


def test_while_align_asked_for_silence_no_return_goes_out(patient_doctor: Desk, cast: Cast) -> None:  # noqa: F811
    desk = patient_doctor
    order_id = taken_in(desk)
    until = timezone.now() + timedelta(minutes=20)
    change(desk.pairing, paused_until=until, reason="rate_limited")
    ask(desk, order_id, cast)
    work()
    desk.sweep()
    assert at_align(desk, order_id) == []
    (made,) = returns(desk)
    assert (made.state, made.next_due, made.attempts, made.problem) == (ReturnState.QUEUED, until, 0, "rate_limited")
    case = f"/cases/{desk.order(order_id).pk}"
    desk.browser.get(f"{case}/return")
    words = words_on(desk.browser, case)
    assert "not at Align yet. Align asked us to slow down." in words
    due_again(desk)
    desk.sweep()
    assert len(at_align(desk, order_id)) == 1
