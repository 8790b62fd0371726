"""1,000 pushes a second for 10 s, 90 % of them duplicates: what is accepted is durable, and pages stay usable."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from benchmarks.storm import TRIES

CASES = 2_000
SECRET = "bench-" + "s" * 37


@dataclass(frozen=True)
class Storm:
    """What came of it. Waits in ms; `lost` counts RxIDs with a 202 and without a row; the first tries were sent within
    `sending_seconds`, all was over after `seconds`."""

    sent: int
    distinct: int
    sending_seconds: float
    seconds: float
    statuses: dict[str, int]
    without_retry_after: int
    later: int
    given_up: int
    distinct_accepted: int
    rows: int
    lost: int
    accepted_ms: tuple[float, float]
    refused_ms: tuple[float, float]
    idle_ms: tuple[float, float]
    stormy_ms: tuple[float, float]
    pages: int
    failed_pages: int

    @property
    def rate_sent(self) -> float:
        """First tries a second, as they really left."""
        return self.sent / self.sending_seconds if self.sending_seconds else 0.0

    @property
    def slower(self) -> tuple[float, float]:
        """How many times slower a page is during the storm: median, 95 %."""
        return self.stormy_ms[0] / self.idle_ms[0], self.stormy_ms[1] / self.idle_ms[1]


@dataclass(frozen=True)
class Target:
    """Where to push to, and as whom to read the inbox."""

    secret: str
    cookie: dict[str, str]


def measure(
    environment: dict[str, str],
    target: Target,
    *,
    distinct: int,
    times: int,
    rate: float,
    idle: float = 6.0,
    tries: int = TRIES,
) -> Storm:
    """Start the web process of `make run`, look at the inbox while nothing happens and while it storms."""
    with web(environment) as (port, _):
        page = PageReader(f"http://localhost:{port}/", target.cookie)
        page.read_for(min(idle, 2.0))  # the first pages compile templates
        calm = page.read_for(idle)
        stop = threading.Event()
        stormy: list[float] = []
        reading = threading.Thread(target=lambda: stormy.extend(page.read_until(stop)))
        reading.start()
        try:
            found = _storm(port, f"/notify/{target.secret}", distinct, times, rate, tries)
        finally:
            stop.set()
            reading.join()
    rows, accepted = stored(), set(found["accepted"])
    return Storm(
        sent=len(found["sent_at"]),
        distinct=distinct,
        sending_seconds=max(found["sent_at"], default=0.0),
        seconds=found["seconds"],
        statuses=found["statuses"],
        without_retry_after=found["without_retry_after"],
        later=found["later"],
        given_up=found["given_up"],
        distinct_accepted=len(accepted),
        rows=len(rows),
        lost=len(accepted - rows),
        accepted_ms=middle_and_most(found["accepted_waits"]),
        refused_ms=middle_and_most(found["refused_waits"]),
        idle_ms=middle_and_most(calm),
        stormy_ms=middle_and_most(stormy),
        pages=len(stormy),
        failed_pages=page.failed,
    )


@contextmanager
def web(environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The web process with the settings of `make run`: its port and process id."""
    from labportal.running.processes import Processes, wait_until
    from labportal.running.web import answers, gunicorn

    port = free_port()
    children = Processes({**environment, "BASE_URL": f"http://localhost:{port}"})
    try:
        process = children.start("web", gunicorn(port))
        wait_until(lambda: answers(port), seconds=60, what="the portal")
        yield port, process.pid
    finally:
        children.stop_all()


def _storm(port: int, path: str, distinct: int, times: int, rate: float, tries: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.storm", "localhost", str(port), path]
    numbers = [str(each) for each in (distinct, times, rate, tries)]
    done = subprocess.run([*command, *numbers], check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own command
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class PageReader:
    """A person with the inbox open: one page after the other, five a second at most."""

    def __init__(self, url: str, cookie: dict[str, str]) -> None:
        self.url, self.failed, self.session = url, 0, requests.Session()
        self.session.cookies.update(cookie)

    def read_for(self, seconds: float) -> list[float]:
        """Seconds of each page."""
        stop = threading.Event()
        timer = threading.Timer(seconds, stop.set)
        timer.start()
        return self.read_until(stop)

    def read_until(self, stop: threading.Event) -> list[float]:
        found = []
        while not stop.is_set():
            began = time.perf_counter()
            try:
                self.failed += self.session.get(self.url, timeout=60, allow_redirects=False).status_code != 200
            except requests.RequestException:  # no answer is a page that failed, and no reason to look away
                self.failed += 1
            found.append(time.perf_counter() - began)
            time.sleep(max(0.0, 0.2 - found[-1]))
        return found


def make_target() -> Target:
    """A lab with cases, a connection, and an owner who is signed in."""
    from django.conf import settings
    from django.test import Client

    from benchmarks.seed import fill_lab
    from connector.pairing.callbacks import callback_hash
    from connector.pairing.models import Pairing, State
    from labportal.labs.models import Role
    from labportal.labs.services import add_member, create_lab, create_person
    from labportal.labs.tenancy import in_lab

    lab = create_lab(name="Bench")
    owner = create_person(email="owner@example.com", password="not used to log in", name="Owner")  # noqa: S106 - a throw-away database
    add_member(lab=lab, user=owner, role=Role.OWNER)
    with in_lab(lab.pk):
        pairing = Pairing.objects.create(
            lab=lab, account_id="1", account_name="Bench", state=State.ACTIVE, callback_hash=callback_hash(SECRET)
        )
    fill_lab(lab.pk, pairing.pk, CASES)
    client = Client()
    client.force_login(owner, backend="allauth.account.auth_backends.AuthenticationBackend")
    cookie = settings.SESSION_COOKIE_NAME
    return Target(SECRET, {cookie: client.cookies[cookie].value})


def stored() -> set[str]:
    """The RxIDs that have a row."""
    from django.db import connections

    with connections["operator"].cursor() as cursor:
        cursor.execute("SELECT rx_id FROM intake_notification")
        return {row[0] for row in cursor.fetchall()}


def middle_and_most(seconds: list[float]) -> tuple[float, float]:
    """Median and 95 % in ms."""
    ordered = sorted(seconds) or [0.0]
    return 1000 * ordered[len(ordered) // 2], 1000 * ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
