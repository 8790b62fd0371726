"""Get Orders and Get Order By RxID."""

from datetime import datetime
from typing import Any

import pytest

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed


def test_an_order_has_the_fields_of_the_assumed_profile(simulator: Simulator, lab: Assumed) -> None:
    created = simulator.create_order()
    order = lab.by_rx_id(created["rxId"]).json()
    assert order["orderId"] == created["orderId"]
    assert order["status"] == "Ready for Download"
    assert order["patient"] == {"firstName": "Ada", "lastName": "Winter", "chartNumber": "C-17"}
    assert order["accountId"] == 479
    assert datetime.fromisoformat(order["scanDate"]).tzinfo is not None
    revision = simulator.order(created["orderId"])["revisions"][0]
    assert order["assets"] == [
        {"type": "IDE", "size": revision["size"], "ready": True},
        {"type": "IMAGE_GALLERY", "size": revision["size_thumbnails"], "ready": True},
    ]


def test_a_new_order_is_listed_and_a_lookup_does_not_take_it_off(simulator: Simulator, lab: Assumed) -> None:
    created = simulator.create_order()
    assert lab.by_rx_id(created["rxId"]).status_code == 200
    assert created["orderId"] in lab.listed()


def test_an_unknown_rx_id_is_404(simulator: Simulator, lab: Assumed) -> None:
    answer = lab.by_rx_id("00000000-0000-4000-8000-000000000000")
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "message"}


def test_two_orders_never_share_an_id_even_with_one_seed(simulator: Simulator) -> None:
    one, other = simulator.create_order(seed=7), simulator.create_order(seed=7)
    assert one["orderId"] != other["orderId"]
    assert one["rxId"] != other["rxId"]


def test_a_malformed_order_misses_its_id_and_the_others_do_not(simulator: Simulator, lab: Assumed) -> None:
    simulator.create_order(malformed=True)
    simulator.create_order()
    orders = lab.orders().json()["orders"]
    assert {"orderId" in order for order in orders} == {True, False}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"companyId": 999}, "companyId"),
        ({"procedureMapId": 9}, "procedureMapId"),
        ({"scannerSerialNumber": ""}, "scannerSerialNumber"),
        ({"patient": {"firstName": "Ada"}}, "lastName"),
        ({"zip": "soup"}, "zip"),
        ({"triangles": 0}, "triangles"),
        ({"notify": "perhaps"}, "notify"),
    ],
)
def test_the_scanning_tool_refuses_bad_input_in_words(simulator: Simulator, change: dict[str, Any], word: str) -> None:
    with pytest.raises(AssertionError, match=word):
        simulator.create_order(**change)


def collect(lab: Assumed, size: int) -> list[str]:
    """All order ids by whatever paging the simulator was started with."""
    answer = lab.orders(pageSize=size, limit=size).json()
    pages = [answer]
    if "totalPages" in answer:
        pages += [lab.orders(pageSize=size, page=page).json() for page in range(2, answer["totalPages"] + 1)]
    if "total" in answer:
        pages += [lab.orders(limit=size, offset=offset).json() for offset in range(size, answer["total"], size)]
    while pages[-1].get("next"):
        lab.endpoints["orders"] = pages[-1]["next"]
        pages.append(lab.orders().json())
    assert all(len(page["orders"]) <= size for page in pages)
    return [order["orderId"] for page in pages for order in page["orders"]]


@pytest.mark.parametrize("paging", ["page", "offset", "next"])
def test_the_pages_hold_every_order_once_the_oldest_first(start_simulator: Start, paging: str) -> None:
    simulator = start_simulator(paging=paging)
    created = [simulator.create_order()["orderId"] for _ in range(5)]
    lab = Assumed(simulator)
    lab.connect()
    assert collect(lab, 2) == created


def test_an_empty_list_is_one_empty_page(start_simulator: Start) -> None:
    lab = Assumed(start_simulator())
    lab.connect()
    assert lab.orders().json() == {"orders": [], "page": 1, "totalPages": 1}


@pytest.mark.parametrize("query", [{"page": 0}, {"page": "x"}, {"pageSize": 0}])
def test_a_senseless_page_is_400(simulator: Simulator, lab: Assumed, query: dict[str, Any]) -> None:
    assert lab.orders(**query).status_code == 400
