"""The second dialect from end to end: nothing of the first one's spelling is left."""

import hashlib
from typing import Any

import pytest
import requests

from tests.simulator.contract_visitor import Contract
from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import CLIENT


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("contract")
    with Simulator.start(folder, dialect="contract", rescan_after=0.1) as running:
        yield running


@pytest.fixture
def contract(simulator: Simulator) -> Contract:
    visitor = Contract(simulator)
    visitor.connect()
    return visitor


def test_accounts_are_listed_in_its_words(contract: Contract) -> None:
    accounts = contract.call("GET", contract.services["AccountList"]).json()["Data"]["Accounts"]
    assert [account["Id"] for account in accounts] == [479, 480]
    assert set(accounts[0]) == {"Id", "DisplayName", "Kind", "Location"}


def test_an_order_is_spelled_its_way_and_downloads(simulator: Simulator, contract: Contract) -> None:
    created = simulator.create_order()
    query = {"RXID": created["rxId"]}
    order = contract.call("GET", contract.services["OrderLookup"], params=query).json()["Data"]["Order"]
    assert set(order) == {"Header", "Person", "Dentist", "Office", "Work", "Files"}
    assert order["Header"]["OrderNumber"] == created["orderId"]
    assert order["Person"] == {"First": "Ada", "Last": "Winter", "Chart": "C-17"}
    url = contract.services["OrderFiles"].format(OrderNumber=created["orderId"])
    for kind, digest in (("FullScan", "sha256_full"), ("Gallery", "sha256_thumbnails")):
        content = contract.call("GET", url, params={"Kind": kind}).content
        assert hashlib.sha256(content).hexdigest() == simulator.order(created["orderId"])["revisions"][0][digest]


def test_its_list_counts_by_offset(simulator: Simulator, contract: Contract) -> None:
    created = [simulator.create_order()["orderId"] for _ in range(3)]
    data = contract.call("GET", contract.services["OrderList"], params={"Offset": 0, "Limit": 2}).json()["Data"]
    assert len(data["Items"]) == 2
    rest = {"Offset": data["TotalCount"] - 1, "Limit": 2}
    last = contract.call("GET", contract.services["OrderList"], params=rest).json()["Data"]["Items"]
    assert [order["Header"]["OrderNumber"] for order in last] == created[-1:]


def test_a_return_is_204_and_then_409(simulator: Simulator, contract: Contract) -> None:
    simulator.switch(rescan_after=3600)
    order_id = simulator.create_order()["orderId"]
    url = contract.services["OrderReturn"].format(OrderNumber=order_id)
    body = {"Return": {"Code": "bite", "Text": "The bite is off"}}
    assert contract.call("PUT", url, json=body).status_code == 204
    refused = contract.call("PUT", url, json=body)
    assert refused.status_code == 409
    assert set(refused.json()["Error"]) == {"Code", "Text"}
    told = simulator.order(order_id)["returns"][0]
    assert (told["reason"], told["comment"]) == ("bite", "The bite is off")


def test_a_refresh_needs_basic_and_rotates(contract: Contract) -> None:
    wanted = {"grant_type": "refresh_token", "refresh_token": contract.refresh_token}
    assert contract.token(wanted, auth=None).status_code == 401
    assert contract.token(wanted).status_code == 200
    again = contract.token(wanted)
    assert (again.status_code, again.json()["Error"]["Code"]) == (400, "invalid_grant")


def test_the_secret_in_the_form_is_refused(contract: Contract) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": contract.refresh_token, "client_secret": CLIENT[1]}
    assert contract.token(form).status_code == 400


def test_revocation_and_unpairing_work(start_simulator: Start) -> None:
    contract = Contract(start_simulator(dialect="contract"))
    contract.connect()
    answer = contract.call("DELETE", contract.services["UnpairAccount"], params={"CompanyId": 479})
    assert (answer.status_code, answer.json()["Data"]["CompanyId"]) == (200, 479)
    assert contract.call("GET", contract.services["OrderList"]).status_code == 403
    form = {"token": contract.refresh_token, "token_type_hint": "refresh_token"}
    assert requests.post(contract.services["RevokeService"], data=form, auth=CLIENT, timeout=10).status_code == 200
    assert contract.call("GET", contract.services["OrderList"]).status_code == 401
