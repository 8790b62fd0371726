"""Return to doctor, re-scan, modeling, milling."""

import pytest
import requests

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed


def test_a_returned_order_waits_as_scanning_and_comes_back_with_other_files(simulator: Simulator, lab: Assumed) -> None:
    created = simulator.create_order()
    order_id = created["orderId"]
    first = lab.download(order_id).content
    before = lab.by_rx_id(created["rxId"]).json()
    assert lab.send_back(order_id, "margin", "Distal of 26 is missing").status_code == 200
    after = simulator.wait_for_order(order_id, revision=2, status="Ready for Download", listed=True)
    order = lab.by_rx_id(created["rxId"]).json()
    assert order["updatedDate"] > before["updatedDate"]
    assert order_id in lab.listed()
    assert lab.download(order_id).content != first
    assert after["returns"][0]["comment"] == "Distal of 26 is missing"


def test_while_the_doctor_scans_the_order_is_unlisted_without_files_and_not_returnable(
    start_simulator: Start,
) -> None:
    simulator = start_simulator(rescan_after=3600)
    lab = Assumed(simulator)
    lab.connect()
    created = simulator.create_order()
    lab.send_back(created["orderId"])
    order = lab.by_rx_id(created["rxId"]).json()
    assert order["status"] == "Scanning"
    assert not any(asset["ready"] for asset in order["assets"])
    assert lab.listed() == []
    assert lab.download(created["orderId"]).status_code == 409
    assert lab.send_back(created["orderId"]).status_code == 409
    simulator.advance_clock(3600)
    simulator.wait_for_order(created["orderId"], revision=2, listed=True)


@pytest.mark.parametrize("status", ["iTero Modeling", "iTero Milling", "Ready to Ship", "Completed"])
def test_an_order_at_work_can_not_be_returned(simulator: Simulator, lab: Assumed, status: str) -> None:
    order_id = simulator.create_order()["orderId"]
    simulator.tell(f"orders/{order_id}/status", {"status": status})
    answer = lab.send_back(order_id)
    assert answer.status_code == 409
    assert status in answer.json()["message"]


def test_modeling_ends_as_lab_review_with_new_files(simulator: Simulator, lab: Assumed) -> None:
    created = simulator.create_order()
    lab.download(created["orderId"])
    simulator.tell(f"orders/{created['orderId']}/model")
    simulator.wait_for_order(created["orderId"], status="Lab Review", revision=2, listed=True)
    assert created["orderId"] in lab.listed()


def test_milling_ends_as_downloaded_without_new_files(simulator: Simulator) -> None:
    order_id = simulator.create_order()["orderId"]
    simulator.tell(f"orders/{order_id}/mill")
    simulator.wait_for_order(order_id, status="Downloaded", revision=1, listed=False)


def test_any_status_can_be_set_and_is_shown_as_it_is(simulator: Simulator, lab: Assumed) -> None:
    created = simulator.create_order()
    simulator.tell(f"orders/{created['orderId']}/status", {"status": "Strange New Status"})
    assert lab.by_rx_id(created["rxId"]).json()["status"] == "Strange New Status"


def test_an_order_in_milling_that_is_interpreted_again_comes_to_review_with_other_files(
    start_simulator: Start,
) -> None:
    slow = start_simulator(modeling_after=3600)
    order_id = slow.create_order()["orderId"]
    slow.tell(f"orders/{order_id}/mill")
    assert slow.tell(f"orders/{order_id}/interpret-again")["status"] == "iTero Milling"
    slow.advance_clock(3600)
    slow.wait_for_order(order_id, status="Lab Review", revision=2, listed=True)


def test_an_order_that_is_not_in_milling_is_not_interpreted_again(simulator: Simulator) -> None:
    order_id = simulator.create_order()["orderId"]
    answer = requests.post(f"{simulator.url}/_sim/orders/{order_id}/interpret-again", timeout=10)
    assert answer.status_code == 409
