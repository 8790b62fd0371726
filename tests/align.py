"""Align's stand-in for tests of the portal: a real simulator process, settings that point at it, and the way through
both sides' pages as a lab's owner takes it."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse

from connector.pairing import vendor
from connector.pairing.connect import account_link
from connector.pairing.models import FetchMode, Pairing
from labportal.labs.tenancy import in_lab
from tests.simulator.launch import Simulator, Start

PASSWORD = "scan-demo"
# Who may pair which account at the simulator. Nobody's log-in belongs to no account.
USERS = {
    "479": "nordlicht@myitero.example",
    "480": "nordlicht@myitero.example",
    "512": "harbour@myitero.example",
    "600": "solo@myitero.example",
}
NOBODY = "nobody@myitero.example"
PROFILES = {"assumed": "", "contract": str(Path(__file__).parent / "itero" / "contract.toml")}


@pytest.fixture
def start_align(tmp_path: Path, settings: Any) -> Iterator[Start]:
    """Starts simulators with options of the test's own; the settings point at the one started last."""
    running: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        folder = tmp_path / f"align-{len(running)}"
        folder.mkdir()
        redirect_uri = settings.BASE_URL + reverse("connect_callback")
        scaled = {"redirect_uri": [redirect_uri], "rescan_after": 0.2, "modeling_after": 0.2}
        running.append(Simulator.start(folder, **scaled | options))
        point_at(settings, running[-1])
        return running[-1]

    yield start
    for simulator in running:
        simulator.stop()
    _forget_client()


@pytest.fixture
def align(start_align: Start) -> Simulator:
    """A simulator of this test's own: quick re-scans, small meshes, the assumed dialect."""
    return start_align()


def point_at(settings: Any, simulator: Simulator) -> None:
    """The portal's settings as an operator enters them; pytest-django's `settings` takes them back afterwards."""
    ready = simulator.ready
    settings.ITERO_PROFILE = PROFILES[simulator.options.get("dialect", "assumed")]
    settings.ITERO_OAUTH_BASE, settings.ITERO_BASE_URL = ready["oauth_base"], ready["base_url"]
    settings.ITERO_LOGIN_PAGE = ready["login_page"]
    settings.ITERO_CLIENT_ID, settings.ITERO_CLIENT_SECRET = "demo-lab-portal", "demo-secret"
    _forget_client()


def point_through(settings: Any, simulator: Simulator, url: str) -> None:
    """The same, by way of a proxy at `url`: Align tells its addresses by the name that it was called with."""
    for name in ("ITERO_OAUTH_BASE", "ITERO_BASE_URL", "ITERO_LOGIN_PAGE"):
        setattr(settings, name, getattr(settings, name).replace(simulator.url, url))
    _forget_client()


def _forget_client() -> None:
    vendor.client.cache_clear()
    vendor.profile.cache_clear()


def pair_lab(
    client: Client, align: Simulator, account_id: str = "479", *, username: str = "", fetch_mode: str = FetchMode.FULL
) -> Pairing:
    """Connect → log in → allow → choose the account, as the client's owner; the pairing as it is afterwards."""
    page = come_back(client, log_in(start_connecting(client), username or USERS[account_id]))
    assert "/connections/accounts/" in page, words_on(client)
    answer = client.post(page, {"account": account_id, "fetch_mode": fetch_mode})
    assert answer.status_code == 302, answer.content.decode()
    words = words_on(client)
    assert "is connected" in words, words
    return pairing_of(account_id)


def start_connecting(client: Client, pairing: Pairing | None = None) -> str:
    """Presses Connect, or a pairing's Reconnect; the address of Align's log-in page."""
    url = reverse("connection_reconnect", args=[pairing.pk]) if pairing else reverse("connect")
    answer = client.post(url)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def log_in(url: str, username: str = USERS["479"], decision: str = "allow") -> str:
    """Logs in at Align as a person does and decides; path and query of the redirect back to the portal."""
    with requests.Session() as browser:
        assert 'for="username"' in browser.get(url, timeout=10).text
        page = browser.post(url, data={"username": username, "password": PASSWORD}, timeout=10)
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert ticket is not None, page.text
        form = {"ticket": ticket[1], "decision": decision}
        answer = browser.post(url, data=form, timeout=10, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"


def come_back(client: Client, path_and_query: str) -> str:
    """Follows Align's redirect into the portal; where the portal sends the person next."""
    answer = client.get(path_and_query)
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"])


def words_on(client: Client, url: str = "") -> str:
    """A page's text as its reader sees it: without tags, entities resolved; Connections unless another is named."""
    text = client.get(url or reverse("connections")).content.decode()
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text)))


def pairing_of(account_id: str) -> Pairing:
    """The pairing that holds this account now, in any lab."""
    link = account_link(account_id)
    assert link is not None, f"account {account_id} is in no lab"
    with in_lab(link[0]):
        return Pairing.objects.of(link[0]).get(pk=link[1])


def again(pairing: Pairing) -> Pairing:
    """The row as it is now, whatever its state."""
    with in_lab(pairing.lab_id):
        return Pairing.objects.of(pairing.lab_id).get(pk=pairing.pk)


def change(pairing: Pairing, **values: Any) -> None:
    """Writes to the row as the app does."""
    with in_lab(pairing.lab_id):
        assert Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk).update(**values) == 1


def let_pass(align: Simulator, pairing: Pairing, seconds: float = 7200) -> None:
    """Time passes at Align and for the stored token's end, as over a night off."""
    align.advance_clock(seconds)
    ends = again(pairing).access_expires_at
    assert ends is not None
    change(pairing, access_expires_at=ends - timedelta(seconds=seconds))


def calls_in_order(align: Simulator) -> list[str]:
    """The last 50 calls that Align answered, oldest first, as its control page shows them."""
    page = requests.get(f"{align.url}/", timeout=10).text
    return re.findall(r"<tr><td>[^<]*<td>(\w+)<td>\d+<td><code>", page)[::-1]


def account(align: Simulator, account_id: str = "479") -> dict[str, Any]:
    """What Align knows of an account: `paired`, `callback`, `region`."""
    return next(a for a in align.truth()["accounts"] if str(a["account_id"]) == account_id)


def callback_secret(align: Simulator, account_id: str = "479") -> str:
    """The secret of the address that Align has for an account's notifications, which Align alone knows; '' without."""
    return str(account(align, account_id)["callback"] or "").rpartition("/notify/")[2]
