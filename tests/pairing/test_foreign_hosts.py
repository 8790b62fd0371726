"""Discovery names the servers that get our tokens; one that is not on the list, or private, gets none."""

from collections.abc import Iterator

import pytest

from connector.pairing import vendor
from connector.pairing.access import PairingStopped, call
from connector.pairing.models import State
from connector.pairing.reservation import account_link
from connector.pairing.words import reason_words
from tests.align import again, calls_in_order, come_back, log_in, pair_lab, start_connecting, words_on
from tests.itero.scripted_server import Script, ScriptedServer, reply

NAMES = ("token", "revoke", "accounts", "pair", "unpair", "orders", "orderByRxId", "download", "return")


@pytest.fixture
def server() -> Iterator[Script]:
    """Discovery of our own; the rest of Align stays the simulator."""
    running = ScriptedServer()
    yield running.script
    running.stop()


@pytest.fixture
def elsewhere() -> Iterator[Script]:
    """A real server that is not on the list: it would answer, if it were asked."""
    running = ScriptedServer()
    running.script.otherwise = lambda asked: reply(200, {"accounts": []})
    yield running.script
    running.stop()


def discover(settings, server, host):
    """From now on Discovery names `host` for every call."""
    urls = {name: f"{host}/{name}/{{rxId}}{{orderId}}{{assetType}}" for name in NAMES}
    server.otherwise = lambda asked: reply(200, {"region": "eu", "endpoints": urls})
    settings.ITERO_BASE_URL = server.url
    vendor.client.cache_clear()


@pytest.mark.parametrize("host", ["elsewhere", "http://10.0.0.1", "http://169.254.169.254", "https://align.example"])
def test_connecting_is_refused_in_words_and_no_token_goes_there(anna, align, settings, server, elsewhere, host):
    discover(settings, server, elsewhere.url if host == "elsewhere" else host)
    assert come_back(anna, log_in(start_connecting(anna))) == "/connections/"
    assert reason_words("host_not_allowed") in words_on(anna)
    assert len(server.asked) == 1
    assert elsewhere.asked == []
    assert account_link("479") is None


def test_the_same_way_works_when_discovery_names_a_server_of_the_list(anna, align, settings, server):
    """The control of the test above."""
    discover(settings, server, server.url)
    script = iter([reply(200, {"region": "eu", "endpoints": {name: f"{server.url}/{name}" for name in NAMES}})])
    server.otherwise = lambda asked: next(script, reply(200, {"accounts": [{"accountId": 1, "name": "Ours"}]}))
    assert "/accounts/" in come_back(anna, log_in(start_connecting(anna)))


def test_a_pairing_that_works_keeps_its_addresses_and_the_test_says_what_is_wrong(
    anna, align, settings, server, elsewhere
):
    paired = pair_lab(anna, align)
    discover(settings, server, elsewhere.url)
    anna.post(f"/connections/{paired.pk}/test")
    assert reason_words("host_not_allowed") in words_on(anna)
    assert elsewhere.asked == []
    assert again(paired).endpoints == paired.endpoints


def test_a_move_to_a_server_that_is_not_on_the_list_pauses_the_pairing(anna, align, settings, server, elsewhere):
    """The old region answers 404, and Discovery names a stranger: no order is given up for that."""
    paired = pair_lab(anna, align)
    align.tell("region", {"accountId": 479, "region": "us"})
    discover(settings, server, elsewhere.url)
    with pytest.raises(PairingStopped, match="host_not_allowed"):
        call(paired.lab_id, paired.pk, lambda a: list(a.client.get_orders(a.endpoints, access_token=a.access_token)))
    after = again(paired)
    assert (after.state, after.reason) == (State.ACTIVE, "host_not_allowed")
    assert after.paused_until is not None
    assert elsewhere.asked == []
    assert calls_in_order(align).count("orders") == 1
