"""`make demo`: the whole portal on one machine with the stand-in for Align, two labs, and scans that keep arriving."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandError

from labportal.embedded_postgres import EmbeddedPostgresError
from labportal.env import BASE_DIR, DATA_DIR
from labportal.running.instance import Prepared, await_database, keep_database, migrate, prepare
from labportal.running.processes import Processes, Stopped, python, raise_on_signals, stop_if_told, wait_until
from labportal.running.walk import Walk, WalkFailed, pair, sign_in
from labportal.running.web import answers, gunicorn, must_be_free

MANAGE = str(BASE_DIR / "manage.py")
SCANNER = ("scanner", "scanner-demo")
# Scans arrive quickly at first, then so that a demo left running for a day does not fill the disk.
FIRST_SCANS, THEN_EVERY, AT_MOST = (0.0, 1.0, 2.0, 20.0), 45.0, 60


class Command(BaseCommand):
    help = "Run the demo. Environment: PORT, SIM_PORT, DATA_DIR. Ctrl-C ends it and leaves no process."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        raise_on_signals()
        port, sim_port = (
            int(os.environ.get(name, standard)) for name, standard in (("PORT", "8000"), ("SIM_PORT", "9000"))
        )
        for name, number in (("PORT", port), ("SIM_PORT", sim_port)):
            must_be_free(name, number)
        try:
            prepared = prepare(Path(DATA_DIR))
        except EmbeddedPostgresError as error:
            raise CommandError(str(error)) from error
        base = f"http://localhost:{port}"
        children = Processes({**prepared.environment, "BASE_URL": base, "SIMULATOR": "1", "PYTHONUNBUFFERED": "1"})
        try:
            self._run(children, prepared, base, port, sim_port)
        except Stopped:
            self.stdout.write("Stopping …")
        except (TimeoutError, WalkFailed, requests.RequestException, subprocess.CalledProcessError) as error:
            raise CommandError(f"The demo could not start: {error}") from error
        finally:
            children.stop_all()
            if prepared.server is not None:
                prepared.server.stop()

    def _run(self, children: Processes, prepared: Prepared, base: str, port: int, sim_port: int) -> None:
        simulator = self._simulator(children, base, sim_port)
        children.environment.update(
            ITERO_OAUTH_BASE=simulator["oauth_base"],
            ITERO_BASE_URL=simulator["base_url"],
            ITERO_LOGIN_PAGE=simulator["login_page"],
            ITERO_CLIENT_ID=simulator["client_id"],
            ITERO_CLIENT_SECRET=simulator["client_secret"],
            EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend",
        )
        await_database(prepared)
        migrate(children.environment)
        facts = _facts(children, "people")
        children.start("worker", python(MANAGE, "worker"))
        children.start("web", gunicorn(port))
        wait_until(lambda: answers(port), seconds=30, what="the portal")
        self._pair_first_lab(children, base, facts, simulator)
        ready = {"url": base, "simulator": simulator["url"], **facts, "callbacks": _callbacks(children, simulator)}
        self.stdout.write(f"DEMO READY {json.dumps(ready)}")
        self.stdout.flush()
        _scan_for_ever(children, prepared, simulator["url"])

    def _simulator(self, children: Processes, base: str, port: int) -> dict[str, Any]:
        folder = Path(DATA_DIR) / "simulator"
        folder.mkdir(parents=True, exist_ok=True)
        process = children.start(
            "simulator",
            python(
                "-m", "connector.simulator", "--host", "localhost", "--port", str(port),
                "--state", str(folder / "state.json"), "--cases", str(folder / "cases"),
                "--redirect-uri", f"{base}/connections/callback", "--triangles", "150000",
            ),
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        if not line.startswith("SIMULATOR READY "):
            raise CommandError("The simulator did not start; see its messages above.")
        ready: dict[str, Any] = json.loads(line.removeprefix("SIMULATOR READY "))
        return ready

    def _pair_first_lab(self, children: Processes, base: str, facts: Any, simulator: dict[str, Any]) -> None:
        if _facts(children, "connections"):
            return  # an earlier start paired it
        owner, align = facts["users"][0], simulator["users"][0]
        walk = Walk()
        sign_in(walk, base, owner["email"], owner["password"])
        pair(walk, base, align["username"], align["password"], str(align["accounts"][0]))


def _facts(children: Processes, what: str) -> Any:
    environment = {**os.environ, **children.environment}
    command = [sys.executable, MANAGE, "demo_facts", what]
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE)  # noqa: S603 - our own command
    return json.loads(done.stdout)


def _callbacks(children: Processes, simulator: dict[str, Any]) -> list[dict[str, str]]:
    """Each connection with the notification address that Align was told; the portal itself keeps a hash alone."""
    truth = requests.get(f"{simulator['url']}/_sim/truth", timeout=60).json()
    told = {str(account["account_id"]): account["callback"] for account in truth["accounts"]}
    return [one | {"url": told[one["account"]]} for one in _facts(children, "connections") if told.get(one["account"])]


def _scan_for_ever(children: Processes, prepared: Prepared, simulator: str) -> None:
    """Dentists at work: new orders for both labs' accounts, until a child ends or the demo is stopped."""
    made, start = 0, time.monotonic()
    while (name := children.ended()) is None:
        if made < AT_MOST and time.monotonic() - start > _due(made):
            _scan(simulator, 512 if made % 4 == 3 else 479, made)
            made += 1
        stop_if_told()
        keep_database(prepared)
        time.sleep(0.25)
    raise CommandError(f"{name} ended; see its messages above")


def _due(made: int) -> float:
    """Seconds after the start at which scan number `made` is taken."""
    known = FIRST_SCANS
    return known[made] if made < len(known) else known[-1] + (made - len(known) + 1) * THEN_EVERY


def _scan(simulator: str, account: int, number: int) -> None:
    body = {
        "companyId": account,
        "scannerSerialNumber": "DEMO-1",
        "procedureMapId": 2 if number % 3 == 2 else 1,
        "patient": _patient(number),
    }
    requests.post(f"{simulator}/api/v1/order/create-new-order", json=body, auth=SCANNER, timeout=60).raise_for_status()


def _patient(number: int) -> dict[str, str]:
    names = (
        ("Ingrid", "Sørensen"), ("Heinrich", "Müller-Lüdenscheid"), ("Yuki", "Tanaka"), ("Daniel", "Okafor"),
        ("Sofia", "Brandt"), ("Jan", "Nowak"), ("Rim", "Haddad"), ("Nils", "Eriksson"), ("Amara", "Diallo"),
        ("Lucía", "Fernández"), ("Noah", "Weiss"), ("نور", "حداد"),
    )  # fmt: skip
    first, last = names[number % len(names)]
    return {"firstName": first, "lastName": last, "chartNumber": f"{last[0]}-{20100 + number}"}
