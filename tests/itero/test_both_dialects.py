"""The whole way of a scan against the simulator, in two dialects and three manners of paging."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connector import itero
from connector.itero import Asset, Client, Credentials, Endpoints, Profile, Server, TokenSet, load_profile
from connector.itero.profile_sections import Param
from tests.itero.conftest import REDIRECT
from tests.itero.simulator_process import consent, new_order, simulator

CONTRACT = Path(__file__).with_name("contract.toml")
SIZE_NAMES = {("assumed", "offset"): "limit", ("assumed", "next"): "limit", ("contract", "page"): "Size"}
ACCOUNT = "479"


@dataclass
class Lab:
    """A client that has consent, and what it needs for the calls."""

    client: Client
    facts: dict[str, Any]
    endpoints: Endpoints
    first: TokenSet
    tokens: TokenSet

    def orders(self) -> dict[str, itero.Order]:
        pages = list(self.client.get_orders(self.endpoints, access_token=self.tokens.access_token))
        return {order.order_id: order for page in pages for order in page.orders}

    def download(self, order_id: str, asset: Asset, offset: int = 0, etag: str = "") -> tuple[bytes, str, int]:
        access = self.tokens.access_token
        got, buffer = bytearray(), memoryview(bytearray(4096))
        with self.client.download_order(
            self.endpoints, access_token=access, order_id=order_id, asset=asset, offset=offset, etag=etag
        ) as download:
            while count := download.readinto(buffer):
                got += buffer[:count]
            return bytes(got), download.etag, download.offset


def spelled(dialect: str, paging: str) -> Profile:
    """The dialect's profile, asking for two orders at a time in this manner."""
    profile = load_profile(CONTRACT if dialect == "contract" else None)
    call = profile.calls.get_orders
    params = dict(call.call.params)
    params["size"] = Param("query", SIZE_NAMES.get((dialect, paging), params["size"].name))
    changed = replace(call, style=paging, size=2, call=replace(call.call, params=params))
    return replace(profile, calls=replace(profile.calls, get_orders=changed))


@pytest.fixture(
    scope="module", params=[(d, p) for d in ("assumed", "contract") for p in ("page", "offset", "next")], ids="-".join
)
def vendor(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Client, dict[str, Any]]]:
    dialect, paging = request.param
    with simulator(tmp_path_factory.mktemp("cases"), dialect, paging, REDIRECT) as facts:
        server = Server(facts["oauth_base"], facts["base_url"], facts["login_page"])
        credentials = Credentials(facts["client_id"], facts["client_secret"])
        yield Client(spelled(dialect, paging), server, credentials, redirect_uri=REDIRECT, allow_loopback=True), facts


@pytest.fixture
def lab(vendor: tuple[Client, dict[str, Any]]) -> Lab:
    client, facts = vendor
    verifier = itero.new_code_verifier()
    answer = consent(client.authorization_url(state="st", code_verifier=verifier), facts["users"][0])
    code = itero.read_redirect(answer, client.profile, state="st")
    first = client.get_token(code=code, code_verifier=verifier)
    endpoints = client.discovery(access_token=first.access_token)
    tokens = client.pair(endpoints, access_token=first.access_token, account_id=ACCOUNT)
    return Lab(client, facts, endpoints, first, tokens)


def test_a_user_who_says_no_gives_no_access(vendor: tuple[Client, dict[str, Any]]) -> None:
    client, facts = vendor
    address = client.authorization_url(state="st", code_verifier=itero.new_code_verifier())
    answer = consent(address, facts["users"][0], "deny")
    with pytest.raises(itero.AccessDenied):
        itero.read_redirect(answer, client.profile, state="st")


def test_the_accounts_of_the_user_are_listed_by_name(lab: Lab) -> None:
    accounts = lab.client.get_accounts(lab.endpoints, access_token=lab.first.access_token)
    assert [one.account_id for one in accounts] == ["479", "480"]
    assert accounts[0].name == "Nordlicht Dental"
    assert accounts[0].address


def test_pairing_brings_another_token_set(lab: Lab) -> None:
    assert lab.tokens != lab.first
    assert lab.tokens.expires_in == 3600


def test_new_orders_are_listed_over_several_pages(lab: Lab) -> None:
    made = [new_order(lab.facts, ACCOUNT) for _ in range(5)]
    listed = lab.orders()
    assert {one["orderId"] for one in made} <= set(listed)
    for one in made:
        assert listed[one["orderId"]].rx_id == one["rxId"]


def test_an_order_by_its_rx_id_is_read_completely(lab: Lab) -> None:
    made = new_order(lab.facts, ACCOUNT)
    access = lab.tokens.access_token
    order = lab.client.get_order_by_rx_id(lab.endpoints, access_token=access, rx_id=made["rxId"])
    assert order.unread == ()
    texts = (
        order.status,
        order.account_id,
        order.patient_last,
        order.doctor_name,
        order.practice_name,
        order.procedure,
    )
    assert all(texts)
    assert order.scan_date is not None
    assert order.updated
    assert {one.asset for one in order.assets} == {Asset.FULL, Asset.THUMBNAILS}


def test_an_unknown_rx_id_is_not_found(lab: Lab) -> None:
    with pytest.raises(itero.NotFound):
        lab.client.get_order_by_rx_id(lab.endpoints, access_token=lab.tokens.access_token, rx_id="unknown")


@pytest.mark.parametrize("asset", list(Asset))
def test_a_download_is_a_zip_of_the_announced_size_and_can_be_resumed(lab: Lab, asset: Asset) -> None:
    made = new_order(lab.facts, ACCOUNT)
    announced = {one.asset: one.size for one in lab.orders()[made["orderId"]].assets}
    whole, etag, _ = lab.download(made["orderId"], asset)
    rest, _, offset = lab.download(made["orderId"], asset, len(whole) // 2, etag)
    assert len(whole) == announced[asset]
    assert (offset, rest) == (len(whole) // 2, whole[len(whole) // 2 :])
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None


def test_a_downloaded_order_is_no_longer_new(lab: Lab) -> None:
    made = new_order(lab.facts, ACCOUNT)
    lab.download(made["orderId"], Asset.FULL)
    assert made["orderId"] not in lab.orders()


def test_an_order_goes_back_to_the_doctor_once(lab: Lab) -> None:
    made = new_order(lab.facts, ACCOUNT)
    given = {
        "access_token": lab.tokens.access_token,
        "order_id": made["orderId"],
        "reason": "margin",
        "comment": "again",
    }
    lab.client.return_to_doctor(lab.endpoints, **given)
    with pytest.raises(itero.Conflict):
        lab.client.return_to_doctor(lab.endpoints, **given)


def test_a_refresh_rotates_and_the_used_token_is_an_invalid_grant(lab: Lab) -> None:
    fresh = lab.client.refresh_token(lab.endpoints, refresh_token=lab.tokens.refresh_token)
    assert fresh.refresh_token != lab.tokens.refresh_token
    with pytest.raises(itero.InvalidGrant):
        lab.client.refresh_token(None, refresh_token=lab.tokens.refresh_token)


def test_an_access_token_of_nobody_is_unauthorized(lab: Lab) -> None:
    with pytest.raises(itero.Unauthorized):
        lab.client.get_accounts(lab.endpoints, access_token="nobody")


def test_after_unpairing_the_orders_are_forbidden(lab: Lab) -> None:
    access = lab.tokens.access_token
    lab.client.unpair(lab.endpoints, access_token=access, account_id=ACCOUNT)
    with pytest.raises(itero.Forbidden):
        list(lab.client.get_orders(lab.endpoints, access_token=access))


def test_a_revoked_refresh_token_is_of_no_use(lab: Lab) -> None:
    lab.client.revoke_token(lab.endpoints, token=lab.tokens.refresh_token)
    with pytest.raises(itero.InvalidGrant):
        lab.client.refresh_token(lab.endpoints, refresh_token=lab.tokens.refresh_token)
