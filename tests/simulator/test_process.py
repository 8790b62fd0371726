"""The process: start, stop, restart, control page."""

import signal
import stat
import time

import pytest
import requests

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed


def test_a_restart_keeps_tokens_orders_and_pairings(start_simulator: Start) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    order_id = simulator.create_order()["orderId"]
    before = simulator.truth()["orders"]
    simulator.stop()
    simulator.launch()
    assert simulator.truth()["orders"] == before
    assert lab.listed() == [order_id]
    assert lab.refresh().status_code == 200


def test_a_killed_process_has_lost_no_answered_change(start_simulator: Start) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    lab.keep(lab.refresh().json())
    order_id = simulator.create_order()["orderId"]
    simulator.stop(signal.SIGKILL)
    simulator.launch()
    assert lab.listed() == [order_id]
    assert lab.refresh().status_code == 200


def test_a_restart_finishes_a_rescan_that_was_under_way(start_simulator: Start) -> None:
    simulator = start_simulator(rescan_after=3600)
    lab = Assumed(simulator)
    lab.connect()
    order_id = simulator.create_order()["orderId"]
    lab.send_back(order_id)
    simulator.stop()
    simulator.launch()
    simulator.advance_clock(3601)
    simulator.wait_for_order(order_id, revision=2)


def test_files_missing_on_disk_are_made_again_byte_for_byte(start_simulator: Start) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    order_id = simulator.create_order()["orderId"]
    first = lab.download(order_id).content
    for path in (simulator.folder / "cases").glob("*.zip"):
        path.unlink()
    assert lab.download(order_id).content == first


def test_the_snapshot_is_for_its_owner_only(start_simulator: Start) -> None:
    simulator = start_simulator()
    simulator.create_order()
    assert stat.S_IMODE((simulator.folder / "state.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_open_connections(start_simulator: Start, number: signal.Signals) -> None:
    simulator = start_simulator()
    with requests.Session() as session:
        assert session.get(f"{simulator.url}/_sim/truth", timeout=10).status_code == 200
        assert simulator.stop(number) == 0


def test_orders_come_by_themselves_when_asked_for(start_simulator: Start) -> None:
    simulator = start_simulator(new_order_every=0.1)
    Assumed(simulator).connect()
    end = time.monotonic() + 10
    while len(orders := simulator.truth()["orders"]) < 3:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert {order["account_id"] for order in orders[1:]} == {479}


def test_every_answer_carries_a_request_id(simulator: Simulator) -> None:
    paths = ("/", "/nowhere", "/_sim/truth", "/login", "/us/api/v2/orders")
    ids = {requests.get(simulator.url + path, timeout=10).headers["X-Request-Id"] for path in paths}
    assert len(ids) == len(paths)


def test_a_wrong_verb_is_405(simulator: Simulator) -> None:
    answer = requests.delete(f"{simulator.url}/_sim/truth", timeout=10)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")


def test_the_control_page_creates_an_order_and_shows_it(simulator: Simulator) -> None:
    form = {"account_id": "600", "family": "orthodontic", "zip": "normal"}
    page = requests.post(f"{simulator.url}/_sim/orders", data=form, timeout=30)
    assert page.url == f"{simulator.url}/"
    assert simulator.truth()["orders"][-1]["order_id"] in page.text


def test_the_control_page_shows_what_is_typed_as_text_only(simulator: Simulator) -> None:
    order_id = simulator.create_order()["orderId"]
    simulator.tell(f"orders/{order_id}/return", {"reason": "<script>alert(1)</script>"})
    page = requests.get(f"{simulator.url}/", timeout=10).text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_calls_are_counted_by_name(start_simulator: Start) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    lab.orders()
    lab.refresh()
    calls = simulator.truth()["calls"]
    assert calls == {"token": 1, "discovery": 2, "pair": 1, "orders": 1, "refresh": 1}
