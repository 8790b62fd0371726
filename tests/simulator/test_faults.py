"""Faults at the socket and above it."""

import time

import pytest
import requests

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed

BROKEN = (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)


def test_a_status_fault_lasts_for_its_times_and_carries_retry_after(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="orders", times=2, status=429, retry_after="5")
    answers = [lab.orders() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "5"
    assert set(answers[0].json()) == {"error", "message"}


def test_a_fault_hits_only_its_call(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="accounts", status=503)
    assert lab.orders().status_code == 200
    assert lab.accounts().status_code == 503


def test_a_fault_without_times_lasts_until_cleared(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="orders", times=0, status=503)
    assert {lab.orders().status_code for _ in range(4)} == {503}
    simulator.clear_faults()
    assert lab.orders().status_code == 200


def test_a_fault_can_let_the_first_calls_pass(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="orders", skip=1, status=503)
    assert [lab.orders().status_code for _ in range(3)] == [200, 503, 200]


def test_a_reset_breaks_the_download_after_it_took_the_order_off_the_list(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    simulator.fault(call="download", reset_at=0.5)
    with pytest.raises(BROKEN, match="reset by peer"):
        lab.download(order_id)
    assert order_id not in lab.listed()
    assert not simulator.order(order_id)["acknowledged"]
    assert lab.download(order_id).status_code == 200


def test_a_reset_at_nothing_sends_nothing(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="orders", reset_at=0)
    with pytest.raises(requests.exceptions.ConnectionError):
        lab.orders()


def test_a_reset_refresh_has_rotated_the_token_all_the_same(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="refresh", reset_at=0)
    with pytest.raises(requests.exceptions.ConnectionError):
        lab.refresh()
    assert lab.refresh().json()["error"] == "invalid_grant"


def test_a_refresh_that_failed_with_a_status_has_not_rotated(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="refresh", status=503)
    assert lab.refresh().status_code == 503
    assert lab.refresh().status_code == 200


def test_a_truncated_body_ends_early(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="orders", truncate_at=0.5)
    with pytest.raises(BROKEN):
        lab.orders()


def test_a_wrong_length_looks_whole_and_is_not(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    simulator.fault(call="download", wrong_length=True)
    answer = lab.download(order_id)
    assert answer.status_code == 200
    assert len(answer.content) < simulator.order(order_id)["revisions"][0]["size"]
    assert not simulator.order(order_id)["acknowledged"]


@pytest.mark.parametrize("way", ["garbage", "html", "half_json"])
def test_a_body_that_is_no_json(simulator: Simulator, lab: Assumed, way: str) -> None:
    simulator.fault(**{"call": "orders", way: True})
    answer = lab.orders()
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_html_can_come_with_a_status(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="orders", html=True, status=502)
    answer = lab.orders()
    assert answer.status_code == 502
    assert answer.text.startswith("<!doctype html>")


def test_latency_comes_after_the_vendor_did_its_part(simulator: Simulator, lab: Assumed) -> None:
    simulator.fault(call="orders", latency=0.3)
    begun = time.monotonic()
    assert lab.orders().status_code == 200
    assert time.monotonic() - begun >= 0.3


def test_a_trickle_is_as_slow_as_asked(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    size = simulator.order(order_id)["revisions"][0]["size"]
    simulator.fault(call="download", bytes_per_second=size * 2)
    begun = time.monotonic()
    assert len(lab.download(order_id).content) == size
    assert 0.3 < time.monotonic() - begun < 5


def test_a_fault_that_can_not_be_understood_is_400(simulator: Simulator) -> None:
    for fault in ({"call": "soup"}, {"colour": "red"}, {"times": "many"}):
        assert requests.post(f"{simulator.url}/_sim/faults", json=fault, timeout=10).status_code == 400


def test_it_stops_at_once_in_the_middle_of_a_trickle(start_simulator: Start) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    order_id = simulator.create_order()["orderId"]
    simulator.fault(call="download", bytes_per_second=100)
    url = lab.endpoints["download"].format(orderId=order_id, assetType="IDE")
    with requests.get(url, headers=lab.bearer, stream=True, timeout=10) as answer:
        next(answer.iter_content(1))
        begun = time.monotonic()
        assert simulator.stop() == 0
        assert time.monotonic() - begun < 3
