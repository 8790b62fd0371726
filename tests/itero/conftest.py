"""A scripted server for raw failures, and a client of it; no Django, no database."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from connector.itero import Client, Credentials, Endpoints, Profile, Server, load_profile
from tests.itero.scripted_server import Script, ScriptedServer

REDIRECT = "https://lab.example/align/callback"
PATHS = {
    "token": "/token",
    "revoke": "/revoke",
    "accounts": "/accounts",
    "pair": "/pair",
    "unpair": "/unpair",
    "orders": "/orders",
    "order_by_rx_id": "/rx/{rxId}",
    "download": "/o/{orderId}/{assetType}",
    "return": "/o/{orderId}/return",
}  # fmt: skip - a table

MakeClient = Callable[..., Client]


@pytest.fixture
def server() -> Iterator[Script]:
    running = ScriptedServer()
    yield running.script
    running.stop()


@pytest.fixture
def profile() -> Profile:
    return load_profile()


@pytest.fixture
def make_client(server: Script, profile: Profile) -> MakeClient:
    def make(changed: Profile | None = None, **options: object) -> Client:
        places = Server(oauth_base=server.url, base_url=server.url, login_page=f"{server.url}/login")
        given = {"redirect_uri": REDIRECT, "allow_loopback": True, "connect_timeout": 2, "read_timeout": 2, **options}
        return Client(changed or profile, places, Credentials("lab-portal", "s&cret word"), **given)  # type: ignore[arg-type]  # keyword options of mixed types

    return make


@pytest.fixture
def client(make_client: MakeClient) -> Client:
    return make_client()


@pytest.fixture
def endpoints(server: Script) -> Endpoints:
    return Endpoints("eu", {name: server.url + path for name, path in PATHS.items()})


def with_paging(profile: Profile, style: str, **changes: object) -> Profile:
    """The profile with another paging style."""
    orders = replace(profile.calls.get_orders, style=style, **changes)  # type: ignore[arg-type]  # fields of mixed types
    return replace(profile, calls=replace(profile.calls, get_orders=orders))
