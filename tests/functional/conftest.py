"""The real thing: `manage.py demo` as its own process tree, and a real Chromium. Nothing is patched."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page

from tests.chromium import chromium

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120


@dataclass
class Demo:
    """A running demo: what DEMO READY said, and its process."""

    ready: dict[str, Any]
    process: subprocess.Popen[str]

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def simulator(self) -> str:
        return str(self.ready["simulator"])

    def user(self, role: str, lab: str = "Nordlicht Dental") -> dict[str, str]:
        wanted = "" if role == "operator" else lab
        return next(u for u in self.ready["users"] if u["role"] == role and u["lab"] == wanted)

    def key(self, lab: str) -> str:
        return str(next(k["key"] for k in self.ready["api_keys"] if k["lab"] == lab))

    def truth(self) -> dict[str, Any]:
        answer: dict[str, Any] = requests.get(f"{self.simulator}/_sim/truth", timeout=10).json()
        return answer

    def order(self, order_id: str) -> dict[str, Any]:
        return next(order for order in self.truth()["orders"] if order["order_id"] == order_id)

    def scan(self, account: int, first: str, last: str, **extras: Any) -> str:
        """Take a scan with the scanning tool; returns the order id."""
        patient = {"firstName": first, "lastName": last, "chartNumber": "T-1"}
        body = {"companyId": account, "scannerSerialNumber": "T", "procedureMapId": 1, "patient": patient, **extras}
        answer = requests.post(
            f"{self.simulator}/api/v1/order/create-new-order", json=body, auth=("scanner", "scanner-demo"), timeout=60
        )
        answer.raise_for_status()
        return str(answer.json()["orderId"])

    def rest(self, path: str, lab: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", headers={"Authorization": f"Bearer {self.key(lab)}"}, timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_demo(data_dir: Path, log: Path) -> Demo:
    """Start the demo and wait for its one line."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("DATABASE_")},
        "PORT": str(free_port()), "SIM_PORT": str(free_port()), "DATA_DIR": str(data_dir), "SIMULATOR": "0",
    }  # fmt: skip
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("DEMO READY "):
            return Demo(json.loads(line.removeprefix("DEMO READY ")), process)
    raise AssertionError(f"the demo ended with {process.wait()}: {log.read_text()[-3000:]}")


def processes_of(data_dir: Path) -> list[int]:
    """Every process that was started for this data folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(data_dir).encode() in words and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def stop_demo(demo: Demo) -> int:
    demo.process.send_signal(signal.SIGTERM)
    code = demo.process.wait(60)
    assert demo.process.stdout is not None
    demo.process.stdout.close()
    return code


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("demo")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def demo(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    log = tmp_path_factory.mktemp("log") / "demo.log"
    running = start_demo(demo_data / "data", log)
    # The doctor scans again after two seconds, not twenty.
    requests.post(f"{running.simulator}/_sim/switches", json={"rescan_after": 2}, timeout=10).raise_for_status()
    yield running
    if running.process.poll() is None:
        stop_demo(running)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh visitor; an error on the browser's console fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visitor = context.new_page()
    said: list[str] = []
    visitor.on(
        "console",
        lambda message: said.append(f"{message.text} {message.location}") if message.type == "error" else None,
    )
    visitor.on("pageerror", lambda error: said.append(str(error)))
    yield visitor
    context.close()
    assert said == []


def sign_in(page: Page, demo: Demo, user: dict[str, str]) -> None:
    page.goto(f"{demo.url}/accounts/login/")
    page.fill("input[name=login]", user["email"])
    page.fill("input[name=password]", user["password"])
    page.click("main form button[type=submit], main form button:not([type])")
    page.wait_for_url(lambda url: "/accounts/login" not in url)


def wait_for(condition: Any, seconds: float = 60, what: str = "") -> Any:
    """Poll until the condition gives something; returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {what}")
