"""The database is away: at the start of web and worker, and in the middle. Own PostgreSQL, own gunicorn, own worker."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import requests

from labportal.embedded_postgres import Server, start
from labportal.roles import RoleUrls, ensure_roles, load_or_make_secrets
from labportal.running.web import gunicorn

ROOT = Path(__file__).resolve().parents[2]
SECRET, TOKEN = "notify-secret-zzcanary", "status-token-zzcanary"


def until(true: Callable[[], bool], what: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.2)


@dataclass
class Machine:
    """A folder with a database of its own, and processes that know its address only."""

    folder: Path
    port: int
    urls: RoleUrls
    server: Server
    children: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        bare = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return bare | {
            "DATA_DIR": str(self.folder / "processes"), "DATABASE_URL": self.urls.app, "SECRET_KEY": "x" * 50,
            "DATABASE_OPERATOR_URL": self.urls.operator, "DATABASE_OWNER_URL": self.urls.owner,
            "NOTIFICATION_SECRET": SECRET, "STATUS_TOKEN": TOKEN,
            "BASE_URL": f"http://localhost:{self.port}", "SIMULATOR": "1",
        } | more  # fmt: skip

    def start(self, name: str, *command: str, **more: str) -> "subprocess.Popen[bytes]":
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=self.environment(**more), stderr=log, stdout=log)
        self.children.append(process)
        return process

    def web(self, **more: str) -> "subprocess.Popen[bytes]":
        process = self.start("web", *gunicorn(self.port), **more)
        until(lambda: self.status("/healthz") == 200, self.said("web"))
        return process

    def worker(self) -> "subprocess.Popen[bytes]":
        return self.start("worker", sys.executable, "manage.py", "worker")

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def said(self, name: str) -> str:
        return self.log(name).read_text()

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"http://localhost:{self.port}{path}", headers=headers, timeout=30)

    def status(self, path: str) -> int:
        try:
            return self.get(path).status_code
        except requests.ConnectionError:
            return 0

    def push(self) -> int:
        url = f"http://localhost:{self.port}/notify/{SECRET}"
        return requests.post(url, json={"rxId": "rx-77"}, timeout=30).status_code

    def kill_database(self) -> None:
        """As the kernel does when memory runs out."""
        pid = self.server._cluster.running_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert self.server._process is not None
        self.server._process.wait()

    def bring_database(self) -> None:
        assert self.server.keep_running()

    def value(self, sql: str) -> int:
        with psycopg.connect(urlunsplit(urlsplit(self.server.superuser_url)._replace(path="/labportal"))) as connection:
            row = connection.execute(sql.encode()).fetchone()
        assert row is not None
        return int(row[0] or 0)

    def stop(self) -> None:
        for process in self.children:
            process.terminate()
        for process in self.children:
            assert process.wait(60) is not None


@pytest.fixture(scope="module")
def machine_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("away")
    secrets = load_or_make_secrets(folder)
    server = start(folder, fast=True)
    urls = ensure_roles(server.superuser_url, database="labportal", passwords=secrets.role_passwords)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    made = Machine(folder, port, urls, server)
    for command in ("migrate", "createcachetable"):
        subprocess.run(
            [sys.executable, "manage.py", command, "--database", "owner", "--verbosity", "0"],
            cwd=ROOT, env=made.environment(), check=True,
        )  # fmt: skip
    yield made
    server.remove()


@pytest.fixture
def machine(machine_of_all: Machine) -> Iterator[Machine]:
    machine_of_all.server.keep_running()
    for log in machine_of_all.folder.glob("*.log"):
        if log.name != "postgres.log":
            log.unlink()
    machine_of_all.children.clear()
    yield machine_of_all
    machine_of_all.stop()


def assert_says_so_in_words(machine: Machine) -> None:
    answer = machine.get("/accounts/login/")
    assert answer.status_code == 503
    assert "The portal is not ready" in answer.text
    assert "No case and no file is lost" in answer.text
    assert "Traceback" not in answer.text
    assert (answer.headers["Retry-After"], answer.headers["Cache-Control"]) == ("10", "no-store")
    assert "default-src" in answer.headers["Content-Security-Policy"]


def test_web_started_without_a_database_says_so_and_comes_up_when_it_is_there(machine: Machine) -> None:
    machine.kill_database()
    machine.web()
    assert_says_so_in_words(machine)
    assert machine.push() == 503
    assert machine.get("/static/css/tokens.css").status_code == 200  # what the page of words looks like
    assert "the database is away: pages answer 503 until it is there" in machine.said("web")
    machine.bring_database()
    until(lambda: machine.status("/accounts/login/") == 200, "web did not come up")
    assert machine.push() == 202


def test_a_database_that_goes_away_is_said_and_nothing_is_accepted_meanwhile(machine: Machine) -> None:
    machine.web()
    assert machine.push() == 202
    before = machine.value("SELECT count(*) FROM intake_unroutednotification")
    machine.kill_database()
    assert_says_so_in_words(machine)
    assert machine.push() == 503
    assert machine.status("/healthz") == 200
    api = machine.get("/api/v1/orders", Authorization="Bearer lp_x_y")
    state = machine.get("/status", Authorization=f"Bearer {TOKEN}")
    assert (state.status_code, state.json()["status"]) == (503, "bad")
    assert ("queue", "no answer from the database") in {(row["name"], row["found"]) for row in state.json()["lines"]}
    assert (api.status_code, api.headers["Content-Type"]) in {
        (503, "application/problem+json"),
        (401, api.headers["Content-Type"]),
    }
    machine.bring_database()
    until(lambda: machine.status("/accounts/login/") == 200, "web did not come back")
    assert machine.push() == 202
    assert machine.value("SELECT count(*) FROM intake_unroutednotification") == before


def test_no_address_that_holds_a_secret_is_in_the_log(machine: Machine) -> None:
    machine.web()
    machine.kill_database()
    assert machine.push() == 503
    said = machine.said("web")
    # A process that has not seen the database yet answers before it looks for a route.
    assert re.search(r"Service Unavailable: (/notify/<str:secret>|\(no route\))", said)
    assert SECRET not in said


def test_web_never_serves_as_a_role_that_no_wall_stops_also_when_it_finds_out_late(machine: Machine) -> None:
    name = urlsplit(machine.server.superuser_url)
    superuser = urlunsplit(name._replace(path="/labportal"))
    machine.kill_database()
    machine.web(DATABASE_URL=superuser)
    assert machine.status("/accounts/login/") == 503
    machine.bring_database()
    until(lambda: machine.status("/accounts/login/") == 503 and "labs.E005" in machine.said("web"), "not refused")
    assert machine.status("/accounts/login/") == 503


def test_a_worker_started_without_a_database_waits_and_then_works(machine: Machine) -> None:
    machine.kill_database()
    worker = machine.worker()
    until(lambda: "waiting for the database: " in machine.said("worker"), "it does not say what it waits for")
    assert worker.poll() is None
    machine.bring_database()
    machine.value("DELETE FROM running_heartbeat RETURNING 1") if beats(machine) else None
    until(lambda: beats(machine) == 2, machine.said("worker"))
    assert "the database answers" in machine.said("worker")


def test_a_worker_survives_the_database_and_works_again_after_it(machine: Machine) -> None:
    worker = machine.worker()
    until(lambda: ticked(machine) < 60, "no tick at the start")
    machine.kill_database()
    time.sleep(25)
    assert worker.poll() is None
    machine.bring_database()
    machine.value("UPDATE running_heartbeat SET at = now() - interval '1 hour' WHERE name = 'tick' RETURNING 1")
    until(lambda: ticked(machine) < 60, machine.said("worker"))


def test_a_worker_that_waits_can_be_stopped(machine: Machine) -> None:
    machine.kill_database()
    worker = machine.worker()
    until(lambda: "waiting for the database: " in machine.said("worker"), "it does not wait")
    worker.terminate()
    assert worker.wait(60) == 0


def beats(machine: Machine) -> int:
    """Of the worker and of the tick; other rows note whose turn something was."""
    return machine.value("SELECT count(*) FROM running_heartbeat WHERE name IN ('worker', 'tick')")


def ticked(machine: Machine) -> int:
    """Seconds since the last tick."""
    return machine.value(
        "SELECT coalesce(extract(epoch FROM now() - max(at))::int, 9999) FROM running_heartbeat WHERE name = 'tick'"
    )
