"""When connecting goes wrong: words on the Connections page, and nothing lost or left behind."""

import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from connector.pairing import connect, tasks
from connector.pairing.callbacks import callback_hash
from connector.pairing.models import Pairing, State
from connector.pairing.reservation import ConnectRefused, account_link, reserve
from connector.pairing.words import connect_words, reason_words
from labportal.labs.tenancy import in_lab
from tests.align import (
    account,
    again,
    callback_secret,
    calls_in_order,
    change,
    come_back,
    log_in,
    pair_lab,
    pairing_of,
    start_connecting,
    words_on,
)
from tests.pairing.at_once import at_once

FAULTS: dict[str, dict[str, Any]] = {"500": {"status": 500}, "HTML": {"html": True}, "half JSON": {"half_json": True}}
CODES = {"500": "vendor_unavailable", "HTML": "web_page", "half JSON": "bad_answer"}


def choose(client, account_id="479"):
    """The whole way, whatever comes of it."""
    page = come_back(client, log_in(start_connecting(client)))
    if "/accounts/" in page:
        client.post(page, {"account": account_id, "fetch_mode": "full"})


@pytest.mark.parametrize("call", ["token", "discovery", "accounts", "pair"])
@pytest.mark.parametrize("kind", FAULTS)
def test_a_broken_answer_is_said_in_words_and_the_next_attempt_works(anna, bruno, align, call, kind):
    align.fault(call=call, **FAULTS[kind])
    choose(anna)
    words = words_on(anna)
    assert connect_words(CODES[kind]) in words
    assert "Nordlicht Dental" not in words  # no card of a connection that never was
    assert account_link("479") is None
    assert pair_lab(anna, align).state == State.ACTIVE


@pytest.mark.parametrize(
    "code", ["timeout", "connection_lost", "rate_limited", "vendor_unavailable", "truncated", "bad_answer", "web_page"]
)
def test_words_while_connecting_promise_nothing_that_would_go_on_by_itself(code):
    assert "try again by ourselves" not in connect_words(code)
    assert connect_words(code) != reason_words(code)


def test_an_account_that_align_has_not_enabled_is_said_in_words_and_stays_free(anna, bruno, align):
    align.fault(call="pair", status=403)
    choose(anna)
    assert connect_words("forbidden") in words_on(anna)
    assert pair_lab(bruno, align).state == State.ACTIVE


@pytest.mark.parametrize("kind", FAULTS)
def test_a_pairing_that_works_is_untouched_when_pairing_it_again_fails(anna, paired, align, kind):
    align.fault(call="pair", **FAULTS[kind])
    come_back(anna, log_in(start_connecting(anna, paired)))
    assert connect_words(CODES[kind]) in words_on(anna)
    assert facts(again(paired)) == facts(paired)


def facts(pairing):
    """All columns, but for the addresses that Align may have been told in vain (test_callbacks.py)."""
    known = {name: value for name, value in vars(pairing).items() if not name.startswith("_")}
    return known | {"told_callback_hashes": None}


def test_what_a_worker_writes_while_pair_is_under_way_is_kept(anna, paired, align):
    align.fault(call="pair", latency=0.6)
    heard = timezone.now()
    back = log_in(start_connecting(anna, paired))

    def write_meanwhile():
        while calls_in_order(align).count("accounts") < 2:
            time.sleep(0.02)
        time.sleep(0.2)  # reserved by now, and Pair waits 0.6 s
        change(paired, notified_at=heard)

    for done in at_once(lambda: come_back(anna, back), write_meanwhile):
        done.result()
    after = again(paired)
    assert after.notified_at == heard
    assert after.tokens != paired.tokens


# --- crashes


def test_a_crash_before_pair_holds_the_account_for_a_quarter_of_an_hour_and_no_longer(anna, bruno, cast, align):
    with in_lab(cast.lab_a.pk):
        held, _ = reserve(cast.lab_a, "479", "Nordlicht Dental")
    with pytest.raises(ConnectRefused, match="taken"):
        reserve(cast.lab_b, "479", "Nordlicht Dental")
    tasks.release(str(held.lab_id), str(held.pk))
    assert again(held).state == State.CONNECTING  # not due yet
    change(held, next_due=timezone.now() - timedelta(seconds=1))
    tasks.release(str(held.lab_id), str(held.pk))
    assert again(held).state == State.UNPAIRED
    assert pair_lab(bruno, align).lab_id == cast.lab_b.pk


def test_a_stale_reservation_is_found_by_the_sweep(anna, cast, align):
    held, _ = reserve(cast.lab_a, "479", "Nordlicht Dental")
    change(held, next_due=timezone.now() - timedelta(seconds=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, row_id FROM resolve.due_work(10)")
        assert cursor.fetchall() == [("release", held.pk)]


def test_release_touches_no_pairing_that_works(paired):
    change(paired, next_due=timezone.now() - timedelta(days=1))
    tasks.release(str(paired.lab_id), str(paired.pk))
    assert again(paired).state == State.ACTIVE


def test_after_a_crash_before_pair_the_same_lab_need_not_wait(anna, cast, align):
    held, _ = reserve(cast.lab_a, "479", "Nordlicht Dental")
    assert pair_lab(anna, align).pk == held.pk


def test_a_crash_after_pair_is_mended_by_pressing_the_button_again(anna, align, monkeypatch):
    page = come_back(anna, log_in(start_connecting(anna)))
    with monkeypatch.context() as crash:
        crash.setattr(connect, "_store", _die)
        with pytest.raises(SystemExit):
            anna.post(page, {"account": "479", "fetch_mode": "full"})
    assert account(align)["paired"]
    assert pairing_of("479").state == State.CONNECTING
    anna.post(page, {"account": "479", "fetch_mode": "full"})
    assert pairing_of("479").state == State.ACTIVE
    assert pairing_of("479").callback_hash == callback_hash(callback_secret(align))  # and Align's address leads here


def _die(*args):
    raise SystemExit


def test_two_labs_at_the_same_moment_get_the_account_once(anna, bruno, align):
    pages = [(client, come_back(client, log_in(start_connecting(client)))) for client in (anna, bruno)]
    form = {"account": "479", "fetch_mode": "full"}
    for done in at_once(*[partial(client.post, page, form) for client, page in pages]):
        done.result()
    said = [words_on(client) for client, _ in pages]
    assert sum("is connected. Its cases" in words for words in said) == 1
    assert sum(reason_words("taken") in words for words in said) == 1
    assert calls_in_order(align).count("pair") == 1
    assert Pairing.objects.count() == 0  # and outside of a lab nobody sees any of it
