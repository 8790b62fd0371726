"""What the operator sees of a pairing, and the three things the operator can do with it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connections
from django.test import Client
from django_q.models import OrmQ

from connector.pairing import admin, services
from connector.pairing.models import Pairing, State
from labportal.labs.routers import as_operator
from tests.cast import Cast
from tests.orders.make import make_pairing

LIST = "/admin/pairing/pairing/"
SECRETS = {
    "sealed_tokens": "k1:tokens-cipher",
    "callback_hash": "hashhashhash",
    "told_callback_hashes": ["toldtoldtold"],
}
HIDDEN = ("k1:tokens-cipher", "hashhashhash", "toldtoldtold")


@pytest.fixture
def pairing(committed: None, cast: Cast) -> Pairing:
    return make_pairing(cast.lab_a, "4711", region="eu", **SECRETS)


@pytest.fixture
def olga(cast: Cast, client_of: Callable[..., Client]) -> Client:
    return client_of(cast.olga)


def act(client: Client, action: str, *pairings: Pairing, **more: str) -> Any:
    """Choose rows in the list and an action; gives the page that follows."""
    form = {"action": action, "_selected_action": [str(pairing.pk) for pairing in pairings], "index": "0", **more}
    return client.post(LIST, form, follow=True)


def now(pairing: Pairing) -> Pairing:
    """The row as it is in the database."""
    with as_operator():
        return Pairing.objects.get(pk=pairing.pk)


def test_the_list_says_in_words_how_a_pairing_is(pairing: Pairing, olga: Client) -> None:
    page = olga.get(LIST).content.decode()
    for words in ("Test account (4711)", "Lab A", "eu", "Connected", "The first check is on its way.", "never", "none"):
        assert words in page


def test_a_stopped_pairing_says_why(committed: None, cast: Cast, olga: Client) -> None:
    stopped = make_pairing(cast.lab_a, reason="invalid_grant")
    with as_operator():
        Pairing.objects.filter(pk=stopped.pk).update(state=State.NEEDS_PAIRING)
    page = olga.get(LIST).content.decode()
    assert "Sign in at Align again" in page
    assert "Align no longer accepts our sign-in." in page


@pytest.mark.parametrize(
    "page", [LIST, LIST + "{}/change/", LIST + "{}/history/", LIST + "?q=cipher", LIST + "?q=hash"]
)
def test_no_page_shows_what_is_sealed(page: str, pairing: Pairing, olga: Client) -> None:
    text = olga.get(page.format(pairing.pk)).content.decode()
    assert not [secret for secret in HIDDEN if secret in text]


@pytest.mark.parametrize("word", ["cipher", "hashhash"])
def test_a_search_does_not_look_into_what_is_sealed(word: str, pairing: Pairing, olga: Client) -> None:
    assert "0 pairings" in olga.get(LIST, {"q": word}).content.decode()
    assert "1 pairing" in olga.get(LIST, {"q": "4711"}).content.decode()


def test_sync_now_makes_the_pairing_due_and_rings(pairing: Pairing, olga: Client) -> None:
    page = act(olga, "sync_now", pairing).content.decode()
    assert "Test account: Align is being asked for new cases now." in page
    assert now(pairing).next_due is not None
    assert OrmQ.objects.count() == 1


def test_sync_now_of_an_ended_pairing_says_why_not(committed: None, cast: Cast, olga: Client) -> None:
    ended = make_pairing(cast.lab_a)
    with as_operator():
        Pairing.objects.filter(pk=ended.pk).update(state=State.UNPAIRED)
    assert "is not connected, so there is nothing to sync" in act(olga, "sync_now", ended).content.decode()
    assert now(ended).next_due is None


def test_un_pair_asks_first(pairing: Pairing, olga: Client) -> None:
    page = act(olga, "unpair", pairing).content.decode()
    assert "Cases and files that came before stay." in page
    assert now(pairing).state == State.ACTIVE


def test_un_pair_begins_when_confirmed(pairing: Pairing, olga: Client) -> None:
    page = act(olga, "unpair", pairing, confirm="yes").content.decode()
    assert "Test account is being disconnected. Its cases stay with the lab." in page
    assert now(pairing).state == State.UNPAIRING


def test_un_pair_touches_only_the_chosen_pairing(pairing: Pairing, cast: Cast, olga: Client) -> None:
    other = make_pairing(cast.lab_b)
    act(olga, "unpair", pairing, confirm="yes")
    assert now(other).state == State.ACTIVE


def test_the_connection_test_says_in_words_what_is_wrong(pairing: Pairing, olga: Client) -> None:
    """Its tokens can't be opened: the real path down to the seal, which needs no Align."""
    page = act(olga, "test_connection", pairing).content.decode()
    assert "Test account: " in page
    assert "Align answers" not in page
    assert 'class="error"' in page


def test_the_connection_test_holds_no_transaction_while_align_answers(
    pairing: Pairing, olga: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that the test renews must be committed before it is used, and no row stay locked meanwhile."""
    open_ones: list[str] = []

    def answer(*, pairing: Pairing) -> str:
        open_ones.extend(alias for alias in ("default", "operator") if connections[alias].in_atomic_block)
        return ""

    monkeypatch.setattr(services, "check_connection", answer)
    page = act(olga, "test_connection", pairing).content.decode()
    assert "Test account: Align answers, and accepts our sign-in." in page
    assert open_ones == []


def test_too_many_connection_tests_at_once_are_refused(committed: None, cast: Cast, olga: Client) -> None:
    many = [make_pairing(cast.lab_a) for _ in range(admin.TESTED_AT_ONCE + 1)]
    assert "Choose at most 5" in act(olga, "test_connection", *many).content.decode()


@pytest.mark.parametrize(
    ("action", "more"), [("sync_now", {}), ("unpair", {"confirm": "yes"}), ("test_connection", {})]
)
def test_what_the_operator_did_is_kept(
    action: str, more: dict[str, str], pairing: Pairing, cast: Cast, olga: Client
) -> None:
    act(olga, action, pairing, **more)
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.object_id) == (cast.olga.pk, str(pairing.pk))


def test_an_operator_without_rights_can_do_nothing(
    pairing: Pairing, cast: Cast, client_of: Callable[..., Client]
) -> None:
    """`is_staff` alone opens the site and none of its pages."""
    type(cast.nina).objects.filter(pk=cast.nina.pk).update(is_staff=True)
    try:
        assert act(client_of(cast.nina), "unpair", pairing, confirm="yes").status_code == 403
        assert now(pairing).state == State.ACTIVE
    finally:
        type(cast.nina).objects.filter(pk=cast.nina.pk).update(is_staff=False)
