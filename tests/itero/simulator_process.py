"""The simulator as a process, the user's browser at its consent page, and its back door."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

ROOT = Path(__file__).parents[2]
PATIENCE = 10


@contextmanager
def simulator(cases: Path, dialect: str, paging: str, redirect_uri: str) -> Iterator[dict[str, Any]]:
    """Start it on a free port; hands out what it announces; ends that one process again."""
    command = [
        sys.executable,
        "-m",
        "connector.simulator",
        "--port",
        "0",
        "--cases",
        str(cases),
        "--dialect",
        dialect,
        "--paging",
        paging,
        "--triangles",
        "300",
        "--redirect-uri",
        redirect_uri,
    ]  # fmt: skip - a command line
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = next(one for one in process.stdout if one.startswith("SIMULATOR READY "))
            yield json.loads(line.removeprefix("SIMULATOR READY "))
        finally:
            process.terminate()
            process.wait(PATIENCE)


def consent(address: str, user: dict[str, Any], decision: str = "allow") -> dict[str, str]:
    """Log in and decide by form posts, as a browser does; the parameters of the redirect back."""
    given = {"username": user["username"], "password": user["password"]}
    page = requests.post(address, data=given, timeout=PATIENCE).text
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found, "the consent page has no ticket"
    form = {"ticket": found[1], "decision": decision}
    answer = requests.post(address, data=form, timeout=PATIENCE, allow_redirects=False)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def new_order(facts: dict[str, Any], account_id: str) -> dict[str, str]:
    """Scan something for an account, by the back door."""
    answer = requests.post(f"{facts['url']}/_sim/orders", json={"account_id": account_id}, timeout=PATIENCE)
    answer.raise_for_status()
    return dict(answer.json())
