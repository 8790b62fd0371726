"""Starting the provider, and walking through its log-in as a browser would."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.identity.__main__ import CLIENT_ID, PASSWORD, SECRET

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Provider:
    """A running provider; `client_id` and `secret` are the portal's there."""

    url: str
    client_id: str = CLIENT_ID
    secret: str = SECRET
    password: str = PASSWORD

    def register(self, redirect_uri: str) -> None:
        self._tell("register", redirect_uri=redirect_uri)

    def rename(self, email: str, new: str) -> None:
        """Give a person another address; their id stays."""
        self._tell("rename", email=email, new=new)

    def _tell(self, what: str, **values: str) -> None:
        requests.post(f"{self.url}/control/{what}", json=values, timeout=10).raise_for_status()

    def walk(self, url: str, email: str, browser: requests.Session | None = None) -> str:
        """Follow the portal's address to the provider, sign in there, and return the address that leads back."""
        browser = browser or requests.Session()
        answer = browser.get(url, timeout=10)
        if "password" in answer.text:
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.text)
            assert token
            form = {"login": email, "password": PASSWORD, "csrfmiddlewaretoken": token[1]}
            answer = browser.post(answer.url, form, allow_redirects=False, timeout=10)
        while "Location" in answer.headers and not is_callback(answer.headers["Location"]):
            answer = browser.get(
                requests.compat.urljoin(answer.url, answer.headers["Location"]), allow_redirects=False, timeout=10
            )
        assert "Location" in answer.headers, (answer.status_code, answer.text[:2000])
        return answer.headers["Location"]


def is_callback(url: str) -> bool:
    return "/accounts/oidc/" in url.partition("?")[0]


@contextmanager
def provider(folder: Path, domain: str = "") -> Iterator[Provider]:
    """A provider on a free port, until the block ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "DJANGO_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.identity", "0", str(folder), domain],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("IDENTITY READY "), line
        yield Provider(line.split()[-1])
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
