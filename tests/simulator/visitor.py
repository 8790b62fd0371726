"""A lab's software as the vendor sees it, in each dialect: written for these tests alone, from the call table."""

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.simulator.launch import REDIRECT_URI, Simulator

CLIENT = ("demo-lab-portal", "demo-secret")
PASSWORD = "scan-demo"


@dataclass
class Tokens:
    access: str
    refresh: str
    lifetime: int


def authorization_url(simulator: Simulator, **changes: str | None) -> str:
    query: dict[str, str | None] = {
        "response_type": "code",
        "client_id": CLIENT[0],
        "redirect_uri": REDIRECT_URI,
        "scope": "orders",
        "state": "st-1",
    }
    query |= changes
    page = simulator.ready["login_page"] + ("/connect/authorize" if "/myitero" in simulator.ready["login_page"] else "")
    return f"{page}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def pkce() -> tuple[str, str]:
    """Verifier and S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def consent(url: str, user: str = "nordlicht@myitero.example", decision: str = "allow") -> dict[str, str]:
    """Logs in as a person does, decides, and gives the parameters of the redirect."""
    with requests.Session() as browser:
        assert 'for="username"' in browser.get(url, timeout=10).text
        page = browser.post(url, data={"username": user, "password": PASSWORD}, timeout=10)
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert ticket is not None, page.text
        form = {"ticket": ticket[1], "decision": decision}
        answer = browser.post(url, data=form, timeout=10, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(REDIRECT_URI)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


class Assumed:
    """Speaks the assumed dialect."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.tokens = Tokens("", "", 0)
        self.endpoints: dict[str, str] = {}

    def log_in(self, user: str = "nordlicht@myitero.example") -> None:
        verifier, challenge = pkce()
        url = authorization_url(self.simulator, code_challenge=challenge, code_challenge_method="S256")
        answer = self.exchange(consent(url, user)["code"], verifier)
        assert answer.status_code == 200, answer.text
        self.keep(answer.json())

    def exchange(self, code: str, verifier: str, **changes: str) -> requests.Response:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "client_id": CLIENT[0],
            "client_secret": CLIENT[1],
            "code_verifier": verifier,
        }
        url = f"{self.simulator.ready['oauth_base']}/oauth/token"
        return requests.post(url, data=form | changes, timeout=10)

    def keep(self, answer: dict[str, Any]) -> None:
        self.tokens = Tokens(answer["access_token"], answer["refresh_token"], answer["expires_in"])

    def refresh(self, refresh: str = "", url: str = "") -> requests.Response:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh or self.tokens.refresh,
            "client_id": CLIENT[0],
            "client_secret": CLIENT[1],
        }
        return requests.post(url or f"{self.simulator.ready['oauth_base']}/oauth/token", data=form, timeout=10)

    def revoke(self, token: str) -> requests.Response:
        form = {"token": token, "client_id": CLIENT[0], "client_secret": CLIENT[1]}
        return requests.post(f"{self.simulator.ready['oauth_base']}/oauth/revoke", data=form, timeout=10)

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens.access}"}

    def discover(self) -> requests.Response:
        answer = requests.get(f"{self.simulator.ready['base_url']}/api/v2/discovery", headers=self.bearer, timeout=10)
        if answer.ok:
            self.endpoints = answer.json()["endpoints"]
        return answer

    def accounts(self) -> requests.Response:
        return requests.get(self.endpoints["accounts"], headers=self.bearer, timeout=10)

    def pair(self, account_id: int = 479, callback: str | None = None) -> requests.Response:
        body = {"accountId": account_id} | ({"callbackUrl": callback} if callback else {})
        return requests.post(self.endpoints["pair"], json=body, headers=self.bearer, timeout=10)

    def unpair(self, account_id: int = 479) -> requests.Response:
        return requests.post(self.endpoints["unpair"], json={"accountId": account_id}, headers=self.bearer, timeout=10)

    def connect(self, account_id: int = 479, callback: str | None = None, user: str = "") -> None:
        """The whole way: log in, discover, pair, and work with the new set."""
        self.log_in(user or "nordlicht@myitero.example")
        assert self.discover().status_code == 200
        answer = self.pair(account_id, callback)
        assert answer.status_code == 200, answer.text
        self.keep(answer.json())
        assert self.discover().status_code == 200

    def orders(self, **query: Any) -> requests.Response:
        return requests.get(self.endpoints["orders"], params=query, headers=self.bearer, timeout=10)

    def listed(self) -> list[str]:
        answer = self.orders()
        assert answer.status_code == 200, answer.text
        return [order["orderId"] for order in answer.json()["orders"]]

    def by_rx_id(self, rx_id: str) -> requests.Response:
        return requests.get(self.endpoints["orderByRxId"].format(rxId=rx_id), headers=self.bearer, timeout=10)

    def download(self, order_id: str, asset: str = "IDE", **headers: str) -> requests.Response:
        url = self.endpoints["download"].format(orderId=order_id, assetType=asset)
        extra = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.get(url, headers=self.bearer | extra, timeout=30)

    def send_back(self, order_id: str, reason: str = "margin", comment: str = "Please again") -> requests.Response:
        url = self.endpoints["return"].format(orderId=order_id)
        return requests.post(url, json={"reason": reason, "comment": comment}, headers=self.bearer, timeout=10)
