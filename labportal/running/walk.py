"""Walks through the portal and the simulator's log-in like a browser without JavaScript: real pages, real forms."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

TIMEOUT = 30


class WalkFailed(Exception):
    """A page did not hold the form that was looked for."""


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        if tag == "form":
            self.forms.append((found.get("action", ""), {}))
        elif tag == "input" and found.get("type") == "hidden" and self.forms:
            self.forms[-1][1][found.get("name", "")] = found.get("value", "")


class Walk:
    """One visitor with cookies."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.page = requests.Response()

    def open(self, url: str) -> None:
        self.page = self.session.get(url, timeout=TIMEOUT)
        self.page.raise_for_status()

    def submit(self, action: str, **values: str) -> None:
        """Send the page's form whose action holds `action` ('' = the one that posts to its own page)."""
        forms = _Forms()
        forms.feed(self.page.text)
        for target, hidden in forms.forms:
            if action in target if action else not target:
                url = urljoin(self.page.url, target) if target else self.page.url
                data = {**hidden, **values}
                self.page = self.session.post(url, data=data, headers={"Referer": self.page.url}, timeout=TIMEOUT)
                self.page.raise_for_status()
                return
        raise WalkFailed(f"no form {action!r} at {self.page.url.partition('?')[0]}")


def sign_in(walk: Walk, base: str, email: str, password: str) -> None:
    walk.open(f"{base}/accounts/login/")
    walk.submit("/accounts/login/", login=email, password=password)


def pair(walk: Walk, base: str, username: str, password: str, account_id: str) -> None:
    """Connect to Align → log in → allow → choose the account."""
    walk.open(f"{base}/connections/")
    walk.submit("/connections/connect")
    walk.submit("", username=username, password=password)
    walk.submit("", decision="allow")
    walk.submit("/connections/accounts/", account=account_id, fetch_mode="full")
    if "is connected" not in walk.page.text:
        raise WalkFailed("the pairing was not confirmed")
