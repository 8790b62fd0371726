"""Tokens go only to the listed hosts: exact scheme, host and port, https, and no private address."""

import socket

import pytest

from connector.itero import Client, Credentials, Endpoints, HostNotAllowed, Profile, Server
from connector.itero.addresses import AllowedHosts, read_origin
from tests.itero.conftest import REDIRECT, MakeClient
from tests.itero.scripted_server import Script, reply

DISCOVERED = ("accounts", "pair", "unpair", "orders", "orderByRxId", "download", "return")


def hosts(*urls: str, allow_loopback: bool = False) -> AllowedHosts:
    return AllowedHosts([read_origin(url) for url in urls], allow_loopback=allow_loopback)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example:444/x",
        "https://api.example.evil.example/x",
        "http://api.example/x",
        "https://user@api.example/x",
        "https://api.example@evil.example/x",
        "https://evil.example\\@api.example/x",
        "https://evil.example/https://api.example",
        "https://api.example\t.evil.example/",
        "ftp://api.example/x",
        "//api.example/x",
        "https://API.example:x/",
        "https://api.example%2eevil.example/",
    ],
)
def test_an_address_that_is_not_exactly_on_the_list_is_refused(url: str) -> None:
    with pytest.raises(HostNotAllowed):
        hosts("https://api.example").check(url)


@pytest.mark.parametrize("url", ["https://api.example/x", "https://api.example:443/x?y=1", "HTTPS://API.example/x"])
def test_the_listed_host_is_allowed_in_every_spelling_that_means_the_same(url: str) -> None:
    hosts("https://api.example").check(url)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "100.64.0.1",
        "224.0.0.1",
        "[::1]",
        "[::ffff:10.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::1]",
        "[::]",
    ],
)  # fmt: skip - a table
def test_a_private_address_is_refused_even_when_it_is_listed(host: str) -> None:
    with pytest.raises(HostNotAllowed):
        hosts(f"https://{host}")


def test_loopback_is_allowed_over_http_only_when_asked_for() -> None:
    hosts("http://127.0.0.1:9000", allow_loopback=True).check("http://127.0.0.1:9000/x")
    with pytest.raises(HostNotAllowed):
        hosts("http://127.0.0.1:9000")


def test_other_private_addresses_stay_refused_when_loopback_is_allowed() -> None:
    with pytest.raises(HostNotAllowed):
        hosts("https://10.0.0.1", allow_loopback=True)


def test_plain_http_to_a_named_host_is_refused_even_when_loopback_is_allowed() -> None:
    with pytest.raises(HostNotAllowed):
        hosts("http://api.example", allow_loopback=True)


def test_a_name_that_leads_to_a_private_address_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(HostNotAllowed, match="private"):
        hosts("https://localhost").resolve("localhost", 443)


def test_the_connection_itself_refuses_a_name_that_leads_to_a_private_address(profile: Profile) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.2)
        base = f"https://localhost:{listening.getsockname()[1]}"
        client = Client(profile, Server(base, base, base), Credentials("a", "b"), redirect_uri=REDIRECT)
        with pytest.raises(HostNotAllowed):
            client.refresh_token(None, refresh_token="r")
        with pytest.raises(TimeoutError):
            listening.accept()


def test_discovery_naming_a_foreign_host_is_refused_at_once(client: Client, server: Script) -> None:
    urls = {name: f"{server.url}/{name}" for name in DISCOVERED} | {"download": "https://evil.example/{orderId}"}
    server.will(reply(200, {"region": "eu", "endpoints": urls}))
    with pytest.raises(HostNotAllowed):
        client.discovery(access_token="a")


def test_stored_endpoints_are_checked_again_when_used(client: Client) -> None:
    with pytest.raises(HostNotAllowed):
        client.get_accounts(Endpoints("", {"accounts": "https://evil.example/a"}), access_token="a")


def test_the_attackers_loopback_address_is_refused_while_ours_is_allowed(client: Client, server: Script) -> None:
    evil = server.url.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(HostNotAllowed):
        client.get_accounts(Endpoints("", {"accounts": evil}), access_token="a")
    assert server.asked == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused(
    client: Client, endpoints: Endpoints, server: Script, status: int
) -> None:
    server.will(reply(status, b"", Location="https://evil.example/"))
    with pytest.raises(HostNotAllowed):
        client.get_accounts(endpoints, access_token="a")


def test_a_redirect_on_the_same_host_is_not_followed_either(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    server.will(reply(302, b"", Location="/elsewhere"))
    with pytest.raises(Exception, match="redirect"):
        client.get_accounts(endpoints, access_token="a")
    assert len(server.asked) == 1


def test_a_next_link_to_another_host_gets_no_token(
    make_client: MakeClient, endpoints: Endpoints, server: Script, profile: Profile
) -> None:
    from tests.itero.conftest import with_paging

    server.will(reply(200, {"orders": [], "next": "https://evil.example/page2"}))
    client = make_client(with_paging(profile, "next"))
    with pytest.raises(HostNotAllowed):
        list(client.get_orders(endpoints, access_token="a"))


@pytest.mark.parametrize("order_id", ["..", ".", ""])
def test_an_id_that_would_leave_its_place_in_the_address_is_refused(
    client: Client, endpoints: Endpoints, server: Script, order_id: str
) -> None:
    with pytest.raises(Exception, match="not an identifier"):
        client.return_to_doctor(endpoints, access_token="a", order_id=order_id, reason="r", comment="c")
    assert server.asked == []


def test_an_id_with_slashes_stays_one_part_of_the_address(client: Client, endpoints: Endpoints, server: Script) -> None:
    server.will(reply(200))
    client.return_to_doctor(endpoints, access_token="a", order_id="../x?y=1", reason="r", comment="c")
    assert server.asked[0].line == "POST /o/..%2Fx%3Fy%3D1/return HTTP/1.1"


def test_a_token_that_would_break_out_of_its_header_is_not_sent(
    client: Client, endpoints: Endpoints, server: Script
) -> None:
    with pytest.raises(Exception, match="not an access token"):
        client.get_accounts(endpoints, access_token="a\r\nX-Evil: 1")
    assert server.asked == []
