"""Connecting, in the order that Align's overview gives: Authorization, Get Token, Discovery, Get Accounts, Pair."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from connector.pairing import vendor
from connector.pairing.callbacks import callback_hash
from connector.pairing.connect import account_link
from connector.pairing.models import ConnectAttempt, FetchMode, Pairing, State
from connector.pairing.words import reason_words
from labportal.labs.tenancy import in_lab
from labportal.sealing import unseal
from tests.align import (
    NOBODY,
    account,
    callback_secret,
    calls_in_order,
    come_back,
    log_in,
    pair_lab,
    pairing_of,
    start_connecting,
    words_on,
)

STEPS = ["token", "discovery", "accounts", "pair"]


def attempt_of(cast, **changes):
    """Lab A's only attempt, after writing `changes` to it."""
    with in_lab(cast.lab_a.pk):
        if changes:
            ConnectAttempt.objects.of(cast.lab_a).update(**changes)
        return ConnectAttempt.objects.of(cast.lab_a).get()


def sealed_verifier(attempt):
    return unseal(attempt.sealed_verifier, lab_id=attempt.lab_id, owner_id=attempt.pk)["verifier"]


def test_the_calls_come_in_the_order_of_the_overview(anna, align):
    pair_lab(anna, align)
    assert calls_in_order(align) == STEPS


def test_nothing_is_asked_before_the_person_allowed_it_and_pair_only_after_the_choice(anna, align):
    back = log_in(start_connecting(anna))
    assert calls_in_order(align) == []
    page = come_back(anna, back)
    anna.get(page)
    assert calls_in_order(align) == STEPS[:3]


def test_both_dialects_can_be_connected(anna, start_align):
    align = start_align(dialect="contract")
    pair_lab(anna, align)
    assert account(align)["paired"]


def test_the_authorization_asks_with_state_and_a_code_challenge(anna, align):
    query = parse_qs(urlsplit(start_connecting(anna)).query)
    assert query["response_type"] == ["code"]
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["state"][0]) >= 32


def test_each_attempt_has_a_state_and_a_verifier_of_its_own(anna, align, cast):
    states = {parse_qs(urlsplit(start_connecting(anna)).query)["state"][0] for _ in range(3)}
    with in_lab(cast.lab_a.pk):
        attempts = list(ConnectAttempt.objects.of(cast.lab_a))
    assert len(states) == len({sealed_verifier(attempt) for attempt in attempts}) == 3


def test_the_set_of_pair_is_kept_and_the_first_one_is_dropped(anna, align, cast):
    page = come_back(anna, log_in(start_connecting(anna)))
    attempt = attempt_of(cast)
    first = unseal(attempt.sealed_tokens, lab_id=attempt.lab_id, owner_id=attempt.pk)
    anna.post(page, {"account": "479", "fetch_mode": "full"})
    kept = pairing_of("479").tokens
    assert kept.access_token != first["access"]
    assert kept.refresh_token != first["refresh"]
    assert attempt_of(cast).sealed_tokens == ""


def test_the_kept_set_is_the_one_that_align_bound_to_the_account(paired):
    orders = list(vendor.client().get_orders(paired.vendor_endpoints, access_token=paired.tokens.access_token))
    assert [page.orders for page in orders] == [()]


def test_the_picker_names_every_account_of_the_login(anna, align):
    words = words_on(anna, come_back(anna, log_in(start_connecting(anna))))
    assert "Nordlicht Dental" in words
    assert "Nordlicht Ortho" in words


def test_a_lab_may_have_several_pairings(anna, align):
    assert pair_lab(anna, align, "479").pk != pair_lab(anna, align, "480").pk
    words = words_on(anna)
    assert "Nordlicht Dental" in words
    assert "Nordlicht Ortho" in words


def test_an_account_that_is_connected_here_is_marked_in_the_picker(anna, paired):
    assert "Connected here already." in words_on(anna, come_back(anna, log_in(start_connecting(anna))))


@pytest.mark.parametrize("mode", FetchMode.values)
def test_the_chosen_fetch_mode_is_kept(anna, align, mode):
    assert pair_lab(anna, align, fetch_mode=mode).fetch_mode == mode


def test_an_unknown_fetch_mode_counts_as_all_files(anna, align):
    assert pair_lab(anna, align, fetch_mode="everything").fetch_mode == FetchMode.FULL


def test_align_learns_an_address_for_notifications_that_leads_to_this_pairing(paired, align, settings):
    secret = callback_secret(align)
    assert account(align)["callback"] == f"{settings.BASE_URL}/notify/{secret}"
    assert len(secret) >= 43
    assert (paired.callback_hash, paired.told_callback_hashes) == (callback_hash(secret), [])


def test_the_first_look_at_the_list_is_due_at_once(paired):
    assert paired.next_due is not None
    assert paired.next_due <= timezone.now()


# --- state: single use, of one person in one lab, for a quarter of an hour


def test_a_state_counts_once(anna, align, cast):
    back = log_in(start_connecting(anna))
    assert "/accounts/" in come_back(anna, back)  # it does count the first time
    assert "/accounts/" not in come_back(anna, back)
    assert reason_words("state") in words_on(anna)


def test_a_state_of_another_person_of_the_same_lab_does_not_count(anna, align, cast):
    back = log_in(start_connecting(anna))
    attempt_of(cast, user=cast.theo)
    assert "/accounts/" not in come_back(anna, back)
    attempt_of(cast, user=cast.anna)
    assert "/accounts/" in come_back(anna, back)


def test_a_state_of_another_lab_does_not_count(anna, bruno, align):
    back = log_in(start_connecting(anna))
    assert "/accounts/" not in come_back(bruno, back)
    assert reason_words("state") in words_on(bruno)
    assert calls_in_order(align) == []  # the code was not even looked at
    assert "/accounts/" in come_back(anna, back)  # and the attempt is still its owner's


@pytest.mark.parametrize(("minutes", "counts"), [(14, True), (16, False)])
def test_a_state_lives_a_quarter_of_an_hour(anna, align, cast, minutes, counts):
    back = log_in(start_connecting(anna))
    attempt_of(cast, created_at=timezone.now() - timedelta(minutes=minutes))
    assert ("/accounts/" in come_back(anna, back)) is counts


@pytest.mark.parametrize("query", ["", "?state=", "?code=x", "?state=invented&code=x"])
def test_a_return_without_a_state_of_ours_is_refused_in_words(anna, align, query):
    assert come_back(anna, f"/connections/callback{query}") == "/connections/"
    assert reason_words("state") in words_on(anna)


def test_a_state_is_not_stored_as_text(anna, align, cast):
    state = parse_qs(urlsplit(start_connecting(anna)).query)["state"][0]
    assert state not in str(vars(attempt_of(cast)))


# --- the attempt behind the picker


def test_another_lab_cannot_use_the_attempt(anna, bruno, align):
    page = come_back(anna, log_in(start_connecting(anna)))
    assert bruno.get(page).status_code == 404
    assert bruno.post(page, {"account": "479", "fetch_mode": "full"}).status_code == 404
    assert account_link("479") is None
    assert anna.get(page).status_code == 200


def test_an_attempt_is_over_once_it_was_used(anna, align):
    page = come_back(anna, log_in(start_connecting(anna)))
    anna.post(page, {"account": "479", "fetch_mode": "full"})
    assert anna.get(page).status_code == 404


def test_an_account_that_the_login_was_not_offered_is_refused(anna, align):
    page = come_back(anna, log_in(start_connecting(anna)))
    anna.post(page, {"account": "512", "fetch_mode": "full"})
    assert account_link("512") is None
    assert "pair" not in calls_in_order(align)


def test_a_choice_after_half_an_hour_asks_to_start_again(anna, align, cast):
    page = come_back(anna, log_in(start_connecting(anna)))
    attempt_of(cast, created_at=timezone.now() - timedelta(minutes=31))
    anna.post(page, {"account": "479", "fetch_mode": "full"})
    assert reason_words("state") in words_on(anna)
    assert account_link("479") is None


def test_abandoned_attempts_and_their_tokens_go_with_the_next_one(anna, align, cast):
    come_back(anna, log_in(start_connecting(anna)))
    old = attempt_of(cast, created_at=timezone.now() - timedelta(hours=1))
    start_connecting(anna)
    assert attempt_of(cast).pk != old.pk


# --- who may


@pytest.mark.parametrize("who", ["theo", "vera"])
def test_only_the_owner_can_connect(committed, cast, client_of, align, who):
    client: Client = client_of(getattr(cast, who))
    assert client.post("/connections/connect").status_code == 403
    assert client.get("/connections/callback?state=x&code=y").status_code == 403
    assert "Connect to Align" not in words_on(client)


def test_a_visitor_is_sent_to_the_log_in(committed, align):
    assert "/accounts/login/" in Client().post("/connections/connect")["Location"]


# --- one lab for one account


def test_an_account_of_another_lab_is_refused_in_words(anna, bruno, align):
    mine = pair_lab(anna, align)
    page = come_back(bruno, log_in(start_connecting(bruno)))
    assert reason_words("taken") in words_on(bruno, page)
    bruno.post(page, {"account": "479", "fetch_mode": "full"})  # although the page does not offer it
    assert reason_words("taken") in words_on(bruno)
    assert calls_in_order(align).count("pair") == 1
    link = account_link("479")
    assert link is not None
    assert link[1] == mine.pk


def test_the_other_accounts_of_that_login_are_free(anna, bruno, align, cast):
    pair_lab(anna, align, "479")
    assert pair_lab(bruno, align, "480").lab_id == cast.lab_b.pk


def test_an_account_is_free_for_another_lab_after_it_was_disconnected(anna, bruno, align, cast):
    mine = pair_lab(anna, align)
    with in_lab(mine.lab_id):
        Pairing.objects.of(mine.lab_id).update(state=State.UNPAIRED)
    assert pair_lab(bruno, align).lab_id == cast.lab_b.pk


def test_without_access_data_from_align_the_page_says_so(anna, align, settings):
    settings.ITERO_CLIENT_ID = ""
    anna.post("/connections/connect")
    assert reason_words("not_configured") in words_on(anna)


def test_a_login_without_an_account_is_told_what_to_do(anna, align):
    assert come_back(anna, log_in(start_connecting(anna), NOBODY)) == "/connections/"
    assert reason_words("no_accounts") in words_on(anna)


def test_a_denial_is_answered_in_words(anna, align):
    assert come_back(anna, log_in(start_connecting(anna), decision="deny")) == "/connections/"
    assert reason_words("access_denied") in words_on(anna)
    assert calls_in_order(align) == []


def test_any_other_refusal_at_the_log_in_is_answered_in_words(anna, align):
    state = parse_qs(urlsplit(start_connecting(anna)).query)["state"][0]
    come_back(anna, f"/connections/callback?state={state}&error=temporarily_unavailable")
    assert reason_words("login_failed") in words_on(anna)
