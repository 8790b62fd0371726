"""Discovery, regions, Get Accounts, Pair and Un Pair."""

import pytest

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed


@pytest.mark.parametrize(
    ("user", "numbers"), [("nordlicht", [479, 480]), ("harbour", [512]), ("solo", [600]), ("nobody", [])]
)
def test_a_person_sees_their_own_accounts(simulator: Simulator, user: str, numbers: list[int]) -> None:
    visitor = Assumed(simulator)
    visitor.log_in(f"{user}@myitero.example")
    visitor.discover()
    accounts = visitor.accounts().json()["accounts"]
    assert [account["accountId"] for account in accounts] == numbers
    assert all(account["name"] and account["type"] == "Lab" and account["address"] for account in accounts)


def test_pairing_gives_a_new_set_that_may_see_orders(simulator: Simulator) -> None:
    visitor = Assumed(simulator)
    visitor.log_in()
    visitor.discover()
    assert visitor.orders().status_code == 403
    answer = visitor.pair(479)
    assert answer.json()["accountId"] == 479
    assert answer.json()["access_token"] != visitor.tokens.access
    assert visitor.orders().status_code == 403
    visitor.keep(answer.json())
    assert visitor.orders().status_code == 200


def test_pairing_with_somebody_elses_account_is_refused(simulator: Simulator) -> None:
    visitor = Assumed(simulator)
    visitor.log_in()
    visitor.discover()
    assert visitor.pair(512).status_code == 403


@pytest.mark.parametrize("account", ["abc", None, True])
def test_pairing_without_an_account_number_is_refused_in_words(simulator: Simulator, account: object) -> None:
    visitor = Assumed(simulator)
    visitor.log_in()
    visitor.discover()
    answer = visitor.pair(account)  # type: ignore[arg-type] # the wrong kind is the point
    assert answer.status_code == 400
    assert "account number" in answer.json()["message"]


def test_after_unpairing_every_call_answers_403_until_paired_again(start_simulator: Start) -> None:
    simulator = start_simulator()
    visitor = Assumed(simulator)
    visitor.connect()
    old = visitor.tokens
    assert visitor.unpair().status_code == 204
    assert visitor.orders().status_code == 403
    assert visitor.unpair().status_code == 403
    visitor.connect()
    assert visitor.orders().status_code == 200
    visitor.tokens = old
    assert visitor.orders().status_code == 403


def test_a_token_of_one_account_does_not_reach_the_orders_of_another(simulator: Simulator, lab: Assumed) -> None:
    foreign = simulator.create_order(512)
    assert foreign["orderId"] not in lab.listed()
    assert lab.by_rx_id(foreign["rxId"]).status_code == 404
    assert lab.download(foreign["orderId"]).status_code == 403
    assert lab.send_back(foreign["orderId"]).status_code == 403


def test_discovery_names_the_region_and_its_addresses(simulator: Simulator, lab: Assumed) -> None:
    answer = lab.discover().json()
    assert answer["region"] == "eu"
    assert all(url.startswith(f"{simulator.url}/eu/") for url in answer["endpoints"].values())


def test_after_a_move_the_old_region_answers_404_and_discovery_names_the_new_one(start_simulator: Start) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    old_token_url = lab.endpoints["token"]
    simulator.tell("region", {"accountId": 479, "region": "us"})
    assert lab.orders().status_code == 404
    assert lab.refresh(url=old_token_url).status_code == 404
    assert lab.discover().json()["region"] == "us"
    assert lab.orders().status_code == 200
    assert lab.refresh(url=lab.endpoints["token"]).status_code == 200


def test_discovery_without_a_token_is_401(simulator: Simulator) -> None:
    answer = Assumed(simulator).discover()
    assert answer.status_code == 401
    assert "invalid_token" in answer.headers["WWW-Authenticate"]
