"""A lab's software that speaks the contract dialect, for these tests alone."""

from typing import Any

import requests

from tests.simulator.launch import REDIRECT_URI, Simulator
from tests.simulator.visitor import CLIENT, authorization_url, consent


class Contract:
    """Speaks the contract dialect."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.access = self.refresh_token = ""
        self.services: dict[str, str] = {}

    def token(self, form: dict[str, str], auth: tuple[str, str] | None = CLIENT) -> requests.Response:
        url = f"{self.simulator.ready['oauth_base']}/connect/token"
        return requests.post(url, data=form, auth=auth, timeout=10)

    def keep(self, answer: dict[str, Any]) -> None:
        self.access, self.refresh_token = answer["Data"]["AccessToken"], answer["Data"]["RefreshToken"]

    def log_in(self) -> None:
        code = consent(authorization_url(self.simulator))["code"]
        answer = self.token({"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI})
        assert answer.status_code == 200, answer.text
        self.keep(answer.json())

    def call(self, method: str, url: str, **more: Any) -> requests.Response:
        return requests.request(method, url, headers={"Authorization": f"Bearer {self.access}"}, timeout=10, **more)

    def discover(self) -> str:
        answer = self.call("POST", f"{self.simulator.ready['base_url']}/lab/v2x/regions/discover", json={})
        self.services = answer.json()["Data"]["Services"]
        return str(answer.json()["Data"]["Region"])

    def connect(self) -> None:
        self.log_in()
        self.discover()
        answer = self.call("PUT", self.services["PairAccount"], json={"CompanyId": 479})
        assert answer.json()["Data"]["CompanyId"] == 479
        self.keep(answer.json())
        self.discover()
