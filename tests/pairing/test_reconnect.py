"""Signing in at Align again: the same row goes on, with its orders and its fetch mode."""

import pytest
from cryptography.fernet import Fernet

from connector.orders.models import Order
from connector.pairing.models import FetchMode, State
from connector.pairing.words import reason_words
from labportal.labs.tenancy import in_lab
from tests.align import again, calls_in_order, change, come_back, log_in, pair_lab, start_connecting, words_on
from tests.orders.make import make_order


@pytest.fixture
def stopped(paired):
    """A pairing that Align no longer signs in."""
    change(paired, state=State.NEEDS_PAIRING, reason="invalid_grant", fetch_mode=FetchMode.ON_CLICK, failures=3)
    return paired


def orders_of(pairing):
    with in_lab(pairing.lab_id):
        return [order.order_id for order in Order.objects.of(pairing.lab_id).filter(pairing=pairing)]


def test_it_goes_straight_through_without_the_picker(anna, stopped):
    assert come_back(anna, log_in(start_connecting(anna, stopped))) == "/connections/"
    after = again(stopped)
    assert (after.state, after.reason, after.failures) == (State.ACTIVE, "", 0)


def test_the_row_its_orders_and_its_mode_stay_and_the_tokens_are_new(anna, cast, stopped):
    make_order(cast.lab_a, stopped, "123456001")
    come_back(anna, log_in(start_connecting(anna, stopped)))
    after = again(stopped)
    assert orders_of(after) == ["123456001"]
    assert after.fetch_mode == FetchMode.ON_CLICK
    assert after.tokens != stopped.tokens


def test_a_login_without_that_account_gets_the_picker_of_its_own(anna, stopped):
    page = come_back(anna, log_in(start_connecting(anna, stopped), "harbour@myitero.example"))
    assert "Harbour Ceramics" in words_on(anna, page)
    assert again(stopped).state == State.NEEDS_PAIRING


def test_another_lab_cannot_reconnect_it(bruno, stopped):
    assert bruno.post(f"/connections/{stopped.pk}/reconnect").status_code == 404


@pytest.mark.parametrize("who", ["theo", "vera"])
def test_only_the_owner_can_reconnect(client_of, cast, stopped, who):
    assert client_of(getattr(cast, who)).post(f"/connections/{stopped.pk}/reconnect").status_code == 403


def test_one_that_is_being_disconnected_must_end_first(anna, paired, align):
    change(paired, state=State.UNPAIRING)
    come_back(anna, log_in(start_connecting(anna, paired)))
    assert reason_words("disconnecting") in words_on(anna)
    assert calls_in_order(align).count("pair") == 1


def test_a_lost_key_is_overcome_by_signing_in_again(anna, stopped, settings):
    settings.TOKEN_KEYS = [f"new:{Fernet.generate_key().decode()}"]
    come_back(anna, log_in(start_connecting(anna, stopped)))
    after = again(stopped)
    assert after.state == State.ACTIVE
    assert after.tokens.access_token


def test_the_same_account_connected_again_from_the_start_is_the_same_row(anna, align, cast, stopped):
    make_order(cast.lab_a, stopped, "123456001")
    change(stopped, state=State.UNPAIRED, sealed_tokens="", callback_hash="")
    after = pair_lab(anna, align)
    assert after.pk == stopped.pk
    assert orders_of(after) == ["123456001"]
