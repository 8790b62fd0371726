"""Get Orders in three manners, each with an end whatever the server answers."""

import itertools

import pytest

from connector import itero
from connector.itero import Client, Endpoints, Profile
from tests.itero.conftest import MakeClient, with_paging
from tests.itero.scripted_server import Asked, Reply, Script, reply

STATUS = "Ready for Download"


def orders(*numbers: int) -> list[dict[str, object]]:
    return [{"orderId": n, "rxId": f"rx-{n}", "status": STATUS} for n in numbers]


def ids(client: Client, endpoints: Endpoints) -> list[str]:
    return [order.order_id for page in client.get_orders(endpoints, access_token="a") for order in page.orders]


def test_pages_are_read_to_the_last(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(*(reply(200, {"orders": orders(n), "totalPages": 2}) for n in (1, 2)))
    assert ids(client, endpoints) == ["1", "2"]
    assert server.asked[1].line == "GET /orders?page=2&pageSize=100 HTTP/1.1"


def test_offsets_move_by_what_came(
    make_client: MakeClient, endpoints: Endpoints, server: Script, profile: Profile
) -> None:
    server.will(*(reply(200, {"orders": orders(*some), "total": 3}) for some in ((1, 2), (3,))))
    assert ids(make_client(with_paging(profile, "offset")), endpoints) == ["1", "2", "3"]
    assert "offset=2&" in server.asked[1].line


def test_links_are_followed_until_there_is_none(
    make_client: MakeClient, endpoints: Endpoints, server: Script, profile: Profile
) -> None:
    server.will(
        reply(200, {"orders": orders(1), "next": "/orders?after=1"}), reply(200, {"orders": orders(2), "next": None})
    )
    assert ids(make_client(with_paging(profile, "next")), endpoints) == ["1", "2"]
    assert server.asked[1].headers["authorization"] == "Bearer a"


def test_without_a_declared_total_a_page_that_is_not_full_is_the_last(
    make_client: MakeClient, endpoints: Endpoints, server: Script, profile: Profile
) -> None:
    server.will(reply(200, {"orders": orders(1, 2)}), reply(200, {"orders": orders(3)}))
    assert ids(make_client(with_paging(profile, "page", total_pages=(), size=2)), endpoints) == ["1", "2", "3"]


@pytest.mark.parametrize("empty", [[], None], ids=["empty", "null"])
def test_an_empty_list_is_no_order(client: Client, endpoints: Endpoints, server: Script, empty: object) -> None:
    server.will(reply(200, {"orders": empty, "totalPages": 0}))
    assert ids(client, endpoints) == []


def test_no_list_at_all_is_a_bad_answer(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200, {"totalPages": 0}))
    with pytest.raises(itero.BadAnswer, match="no list of orders"):
        ids(client, endpoints)


@pytest.mark.parametrize("style", ["page", "offset", "next"])
def test_a_server_that_repeats_its_page_does_not_keep_us_for_ever(
    make_client: MakeClient, endpoints: Endpoints, server: Script, profile: Profile, style: str
) -> None:
    links = (f"/orders?n={n}" for n in itertools.count())

    def same(_asked: Asked) -> Reply:
        return reply(200, {"orders": orders(1), "totalPages": 10**9, "total": 10**9, "next": next(links)})

    server.otherwise = same
    with pytest.raises(itero.BadAnswer, match="twice"):
        ids(make_client(with_paging(profile, style)), endpoints)


def test_a_link_that_leads_back_is_refused(
    make_client: MakeClient, endpoints: Endpoints, server: Script, profile: Profile
) -> None:
    server.will(reply(200, {"orders": orders(1), "next": "/orders"}))
    with pytest.raises(itero.BadAnswer, match="before"):
        ids(make_client(with_paging(profile, "next")), endpoints)


def test_more_pages_than_the_profile_allows_are_refused(
    make_client: MakeClient, endpoints: Endpoints, server: Script, profile: Profile
) -> None:
    numbers = itertools.count()
    server.otherwise = lambda _asked: reply(200, {"orders": orders(next(numbers)), "totalPages": 10**9})
    with pytest.raises(itero.BadAnswer, match="more pages"):
        ids(make_client(with_paging(profile, "page", max_pages=3)), endpoints)


def test_a_list_without_its_total_is_a_bad_answer(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200, {"orders": orders(1)}))
    with pytest.raises(itero.BadAnswer, match="totalPages"):
        ids(client, endpoints)


def test_one_malformed_order_of_a_hundred_does_not_block_the_others(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    listed: list[object] = [*orders(*range(99)), {"orderId": 7, "rxId": "Null"}]
    server.will(reply(200, {"orders": listed, "totalPages": 1}))
    (page,) = client.get_orders(endpoints, access_token="a")
    assert len(page.orders) == 99
    assert page.malformed == (itero.MalformedOrder(99, "7", ("rx_id", "status")),)


def test_an_entry_that_is_no_order_at_all_is_named_too(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200, {"orders": [None, "x"], "totalPages": 1}))
    (page,) = client.get_orders(endpoints, access_token="a")
    assert [(one.index, one.order_id) for one in page.malformed] == [(0, None), (1, None)]
