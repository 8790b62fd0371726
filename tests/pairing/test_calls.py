"""What Align's refusals mean for the pairing: once more, pause, stop, and in which words."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connector.itero.errors import Forbidden, IteroError, NotFound, RateLimited, VendorUnavailable
from connector.pairing.access import PairingStopped, back_off, call, refresh
from connector.pairing.models import State
from connector.pairing.words import reason_words
from tests.align import again, calls_in_order, change, words_on


def use(pairing):
    def ask(access):
        list(access.client.get_orders(access.endpoints, access_token=access.access_token))

    call(pairing.lab_id, pairing.pk, ask)


def press_test(client, pairing):
    assert client.post(f"/connections/{pairing.pk}/test").status_code == 302
    return words_on(client)


def test_a_401_refreshes_once_and_repeats_once(paired, align):
    align.fault(call="orders", status=401)
    use(paired)
    assert calls_in_order(align)[-4:] == ["orders", "discovery", "refresh", "orders"]
    assert again(paired).state == State.ACTIVE


def test_a_second_401_waits_for_a_person_and_says_so_on_every_page(anna, paired, align):
    align.fault(call="orders", status=401, times=2)
    with pytest.raises(PairingStopped, match="unauthorized"):
        use(paired)
    assert again(paired).state == State.NEEDS_PAIRING
    assert calls_in_order(align).count("refresh") == 1
    for page in ("/connections/", "/"):
        assert reason_words("unauthorized") in words_on(anna, page)


def test_a_second_401_stops_nothing_when_another_worker_has_refreshed_meanwhile(paired, align):
    """Between the refusal and what it means for the row lies a moment without a lock."""
    tried = []

    def ask(access):
        tried.append(access.access_token)
        if len(tried) == 2:
            refresh(paired.lab_id, paired.pk, refused_token=access.access_token)
        list(access.client.get_orders(access.endpoints, access_token=access.access_token))

    align.fault(call="orders", status=401, times=2)
    call(paired.lab_id, paired.pk, ask)
    after = again(paired)
    assert (after.state, tried[2:]) == (State.ACTIVE, [after.tokens.access_token])


def test_the_banner_of_a_stopped_pairing_is_not_shown_to_another_lab(bruno, paired):
    change(paired, state=State.NEEDS_PAIRING, reason="invalid_grant")
    assert reason_words("invalid_grant") not in words_on(bruno, "/")


def test_the_repeated_call_begins_anew(paired, align):
    """A page was read, then the token ended: what the action gathered so far is gathered again."""
    runs = []

    def partial_work(access):
        runs.append("begun")
        align.fault(call="orders", status=401) if len(runs) == 1 else None
        list(access.client.get_orders(access.endpoints, access_token=access.access_token))
        return len(runs)

    assert call(paired.lab_id, paired.pk, partial_work) == 2


def test_a_403_stops_the_pairing_in_words(anna, paired, align):
    align.fault(call="orders", status=403)
    with pytest.raises(Forbidden):
        use(paired)
    assert again(paired).state == State.FORBIDDEN
    assert reason_words("forbidden") in words_on(anna)


def test_the_test_button_clears_it_once_align_has_enabled_the_account(anna, paired, align):
    change(paired, state=State.FORBIDDEN, reason="forbidden", reason_at=timezone.now())
    assert "Align answers, and accepts our sign-in." in press_test(anna, paired)
    after = again(paired)
    assert (after.state, after.reason, after.reason_at) == (State.ACTIVE, "", None)


def test_the_test_button_clears_nothing_while_the_account_is_not_enabled(anna, paired, align):
    """Discovery answers everybody; only the account's own call tells."""
    change(paired, state=State.FORBIDDEN, reason="forbidden", reason_at=timezone.now())
    align.fault(call="orders", status=403)
    assert reason_words("forbidden") in press_test(anna, paired)
    assert again(paired).state == State.FORBIDDEN


def test_the_test_button_takes_no_order_off_aligns_list(anna, paired, align):
    order_id = align.create_order()["orderId"]
    press_test(anna, paired)
    assert align.order(order_id)["listed"]


def test_the_test_button_ends_a_pause_whose_cause_is_gone(anna, paired):
    later = timezone.now() + timedelta(hours=1)
    change(paired, paused_until=later, failures=9, reason="vendor_unavailable")
    press_test(anna, paired)
    assert (again(paired).paused_until, again(paired).failures) == (None, 0)


def test_the_test_button_does_not_end_a_pause_that_align_asked_for(anna, paired):
    later = timezone.now() + timedelta(hours=1)
    change(paired, paused_until=later, reason="rate_limited")
    press_test(anna, paired)
    assert again(paired).paused_until == later


@pytest.mark.parametrize("who", ["theo", "vera"])
def test_only_the_owner_can_test(client_of, cast, paired, who):
    assert client_of(getattr(cast, who)).post(f"/connections/{paired.pk}/test").status_code == 403


@pytest.mark.parametrize("door", ["test", "sync", "mode", "unpair", "reconnect"])
def test_another_labs_pairing_is_not_found(bruno, paired, align, door):
    before = calls_in_order(align)
    assert bruno.post(f"/connections/{paired.pk}/{door}", {"confirm": "yes"}).status_code == 404
    assert calls_in_order(align) == before
    assert again(paired).state == State.ACTIVE


def test_a_429_pauses_the_pairing_for_as_long_as_align_asks(anna, paired, align):
    now = timezone.now()
    align.fault(call="orders", status=429, retry_after="90")
    with pytest.raises(RateLimited):
        use(paired)
    until = again(paired).paused_until
    assert until is not None
    assert timedelta(seconds=90) <= until - now < timedelta(seconds=120)
    assert reason_words("rate_limited") in words_on(anna)


def test_5xx_backs_off_further_each_time(paired, align):
    align.fault(call="orders", status=503, times=3)
    waits = []
    for _ in range(3):
        now = timezone.now()
        with pytest.raises(VendorUnavailable):
            use(paired)
        until = again(paired).paused_until
        assert until is not None
        waits.append((until - now).total_seconds())
    assert 30 <= waits[0] < 40 < 60 <= waits[1] < 80 < 120 <= waits[2] < 160


def test_a_retry_after_of_nothing_still_waits_a_second():
    assert 1 <= back_off(0, 0.0) <= 1.2


def test_the_wait_ends_at_an_hour():
    assert 3600 <= back_off(40) <= 3600 * 1.2


@pytest.mark.parametrize("fault", [{"html": True}, {"half_json": True}, {"reset_at": 0.5}])
def test_one_broken_answer_does_not_pause_the_pairing(paired, align, fault):
    align.fault(call="orders", **fault)
    with pytest.raises(IteroError) as broken:
        use(paired)
    assert broken.value.retry
    assert again(paired).paused_until is None


def test_an_order_that_align_does_not_know_stops_nothing(paired, align):
    def look_up(access):
        access.client.get_order_by_rx_id(access.endpoints, access_token=access.access_token, rx_id="none-such")

    with pytest.raises(NotFound):
        call(paired.lab_id, paired.pk, look_up)
    assert (again(paired).state, again(paired).paused_until) == (State.ACTIVE, None)


def test_a_set_that_cannot_be_opened_stops_the_call_in_words(anna, paired, align):
    change(paired, sealed_tokens="lost:gAAAA")
    with pytest.raises(PairingStopped, match="unknown_key"):
        use(paired)
    assert reason_words("unknown_key") in press_test(anna, paired)


def test_check_for_orders_now_makes_the_next_look_due(anna, paired):
    change(paired, next_due=timezone.now() + timedelta(hours=1))
    anna.post(f"/connections/{paired.pk}/sync")
    due = again(paired).next_due
    assert due is not None
    assert due <= timezone.now()


def test_the_fetch_mode_can_be_changed_and_an_unknown_one_is_ignored(anna, paired):
    anna.post(f"/connections/{paired.pk}/mode", {"fetch_mode": "on_click"})
    anna.post(f"/connections/{paired.pk}/mode", {"fetch_mode": "everything"})
    assert again(paired).fetch_mode == "on_click"
