"""Un Pair and Revoke: asked for once, told to Align until it confirms; the cases stay."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from connector.orders.models import Order
from connector.pairing import disconnect, tasks, vendor
from connector.pairing.models import State
from connector.pairing.words import reason_words
from labportal.labs.tenancy import in_lab
from tests.align import account, again, calls_in_order, change, let_pass, pair_lab, words_on
from tests.orders.make import make_order


def ask_to_end(client, pairing):
    """The owner's two presses: what stops and what stays, then yes."""
    url = f"/connections/{pairing.pk}/unpair"
    page = client.post(url)
    assert "What stays" in page.content.decode()
    assert client.post(url, {"confirm": "yes"}).status_code == 302


def tell(pairing):
    """The worker's turn, although it may not be due yet."""
    tasks.unpair(str(pairing.lab_id), str(pairing.pk))
    return again(pairing)


def test_nothing_ends_before_the_second_press(anna, paired):
    anna.post(f"/connections/{paired.pk}/unpair")
    assert again(paired).state == State.ACTIVE


def test_align_is_told_then_the_tokens_are_revoked_and_wiped(anna, paired, align):
    change(paired, told_callback_hashes=["t" * 64])
    ask_to_end(anna, paired)
    ended = tell(paired)
    assert calls_in_order(align)[-2:] == ["unpair", "revoke"]
    assert not account(align)["paired"]
    assert align.truth()["tokens"]["revoked"] == 1
    assert ended.state == State.UNPAIRED
    assert (ended.sealed_tokens, ended.callback_hash, ended.told_callback_hashes) == ("", "", [])
    assert (ended.access_expires_at, ended.next_due) == (None, None)


def test_the_pages_say_disconnecting_then_disconnected(anna, paired):
    ask_to_end(anna, paired)
    assert "Disconnecting" in words_on(anna)
    assert "We are telling Align that this connection ends." in words_on(anna)
    tell(paired)
    assert "Disconnected" in words_on(anna)
    assert "The cases that came before stay here." in words_on(anna)


def test_the_cases_stay(anna, cast, paired):
    make_order(cast.lab_a, paired, "123456001")
    ask_to_end(anna, paired)
    tell(paired)
    with in_lab(cast.lab_a.pk):
        assert Order.objects.of(cast.lab_a).get().pairing_id == paired.pk


def test_the_worker_finds_it_due_at_once(anna, paired):
    ask_to_end(anna, paired)
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, row_id FROM resolve.due_work(10)")
        assert cursor.fetchall() == [("unpair", paired.pk)]


@pytest.mark.parametrize("call", ["unpair", "revoke"])
@pytest.mark.parametrize("fault", [{"status": 503}, {"reset_at": 0.0}, {"html": True}])
def test_it_is_told_again_until_align_confirms(anna, paired, align, call, fault):
    align.fault(call=call, **fault)
    ask_to_end(anna, paired)
    waiting = tell(paired)
    assert (waiting.state, waiting.failures) == (State.UNPAIRING, 1)
    assert waiting.next_due is not None
    assert waiting.next_due > timezone.now() + timedelta(seconds=25)
    assert waiting.sealed_tokens
    assert reason_words(waiting.reason) in words_on(anna)
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]
    assert align.truth()["tokens"]["families_ended"] >= 1


def test_the_wait_between_two_tries_grows(anna, paired, align):
    align.fault(call="unpair", status=503, times=2)
    ask_to_end(anna, paired)
    waits = [tell(paired).next_due - timezone.now() for _ in range(2)]
    assert waits[1] > 1.5 * waits[0]


def test_a_crash_between_un_pair_and_revoke_is_mended(anna, paired, align, monkeypatch):
    ask_to_end(anna, paired)

    def die(pairing):
        raise SystemExit

    with monkeypatch.context() as crash:
        crash.setattr(disconnect, "_revoke", die)
        with pytest.raises(SystemExit):
            tell(paired)
    assert not account(align)["paired"]
    assert again(paired).state == State.UNPAIRING
    assert tell(paired).state == State.UNPAIRED
    assert align.truth()["tokens"]["revoked"] == 1


def test_after_a_night_off_align_is_told_with_a_renewed_token(anna, paired, align):
    ask_to_end(anna, paired)
    let_pass(align, paired)
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_an_account_that_moved_over_night_is_told_at_its_new_region(anna, paired, align):
    align.tell("region", {"accountId": 479, "region": "us"})
    let_pass(align, paired)
    ask_to_end(anna, paired)
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_a_sign_in_that_align_ended_already_ends_the_pairing_too(anna, paired, align):
    """Not: "Sign in at Align again", for a connection that nobody wants any more."""
    vendor.client().revoke_token(paired.vendor_endpoints, token=paired.tokens.refresh_token)
    let_pass(align, paired)
    ask_to_end(anna, paired)
    assert tell(paired).state == State.UNPAIRED


def test_a_pairing_that_align_ended_already_ends_here_too(anna, paired, align):
    given = paired.tokens.access_token
    vendor.client().unpair(paired.vendor_endpoints, access_token=given, account_id="479")
    ask_to_end(anna, paired)
    assert tell(paired).state == State.UNPAIRED


def test_a_pairing_that_waits_for_a_person_can_be_ended(anna, paired, align):
    change(paired, state=State.NEEDS_PAIRING, reason="unauthorized")
    ask_to_end(anna, paired)
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_a_wrong_client_secret_says_nothing_of_what_align_thinks_so_it_is_told_again(anna, paired, align, settings):
    let_pass(align, paired)
    ask_to_end(anna, paired)
    settings.ITERO_CLIENT_SECRET = "wrong"
    vendor.client.cache_clear()
    waiting = tell(paired)
    assert (waiting.state, waiting.reason) == (State.UNPAIRING, "invalid_client")
    assert waiting.sealed_tokens
    settings.ITERO_CLIENT_SECRET = "demo-secret"
    vendor.client.cache_clear()
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_a_wrong_client_secret_at_refresh_alone_is_no_confirmation_either(anna, paired, align):
    let_pass(align, paired)
    ask_to_end(anna, paired)
    align.fault(call="refresh", status=401)
    assert tell(paired).state == State.UNPAIRING
    assert account(align)["paired"]
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_a_wrong_client_secret_at_revoke_alone_is_told_again_too(anna, paired, align, settings):
    ask_to_end(anna, paired)
    settings.ITERO_CLIENT_SECRET = "wrong"
    vendor.client.cache_clear()
    waiting = tell(paired)
    assert not account(align)["paired"]
    assert (waiting.state, waiting.reason) == (State.UNPAIRING, "invalid_client")


def test_a_gateways_404_page_is_no_confirmation(anna, paired, align):
    ask_to_end(anna, paired)
    align.fault(call="unpair", status=404, html=True, times=2)
    waiting = tell(paired)
    assert (waiting.state, waiting.reason) == (State.UNPAIRING, "web_page")
    assert account(align)["paired"]
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_an_account_that_moved_is_told_at_its_new_region_although_the_old_one_answers_with_a_page(anna, paired, align):
    align.tell("region", {"accountId": 479, "region": "us"})
    align.fault(call="unpair", html=True)
    ask_to_end(anna, paired)
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_an_address_that_must_not_be_called_is_no_confirmation(anna, paired, align):
    """Align was never reached, so it still counts us in; the region's own address ends it."""
    urls = paired.endpoints["urls"] | {"unpair": "https://stranger.example/unpair"}
    change(paired, endpoints={"region": "eu", "urls": urls})
    ask_to_end(anna, paired)
    align.fault(call="discovery", status=500)
    waiting = tell(paired)
    assert (waiting.state, waiting.reason) == (State.UNPAIRING, "host_not_allowed")
    assert account(align)["paired"]
    assert tell(paired).state == State.UNPAIRED
    assert not account(align)["paired"]


def test_with_a_lost_key_nothing_can_be_told_and_the_pairing_ends_here(anna, paired, align, settings):
    settings.TOKEN_KEYS = [f"new:{Fernet.generate_key().decode()}"]
    ask_to_end(anna, paired)
    assert tell(paired).state == State.UNPAIRED


def test_telling_twice_is_harmless(anna, paired, align):
    ask_to_end(anna, paired)
    tell(paired)
    before = calls_in_order(align)
    assert tell(paired).state == State.UNPAIRED
    assert calls_in_order(align) == before


def test_a_pairing_that_nobody_ended_is_not_ended_by_the_task(paired, align):
    assert tell(paired).state == State.ACTIVE
    assert account(align)["paired"]


def test_one_pairing_ends_and_the_other_of_the_same_login_goes_on(anna, align):
    first, second = pair_lab(anna, align, "479"), pair_lab(anna, align, "480")
    ask_to_end(anna, first)
    tell(first)
    given = again(second).tokens.access_token
    assert list(vendor.client().get_orders(second.vendor_endpoints, access_token=given))


def test_connected_again_it_is_the_same_row_with_its_orders_and_a_new_address(anna, cast, paired, align):
    make_order(cast.lab_a, paired, "123456001")
    address = account(align)["callback"]
    ask_to_end(anna, paired)
    tell(paired)
    revived = pair_lab(anna, align)
    assert revived.pk == paired.pk
    assert account(align)["callback"] not in (address, None)
    with in_lab(cast.lab_a.pk):
        assert Order.objects.of(cast.lab_a).get().pairing_id == revived.pk


@pytest.mark.parametrize("who", ["theo", "vera"])
def test_only_the_owner_can_end_it(client_of, cast, paired, who):
    answer = client_of(getattr(cast, who)).post(f"/connections/{paired.pk}/unpair", {"confirm": "yes"})
    assert answer.status_code == 403
    assert again(paired).state == State.ACTIVE
