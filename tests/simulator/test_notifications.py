"""Scan notifications reach a real listener."""

import json
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.simulator.contract_visitor import Contract
from tests.simulator.launch import Start
from tests.simulator.visitor import Assumed


class Listener(HTTPServer):
    """A portal's notification address: remembers what came, answers with the next status of `statuses`, else 202."""

    def __init__(self) -> None:
        self.heard: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.statuses: list[int] = []
        super().__init__(("127.0.0.1", 0), Ear)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"


class Ear(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.put((self.path, json.loads(body)))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 202)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_new_order_is_notified_to_the_address_given_at_pairing(start_simulator: Start, listener: Listener) -> None:
    simulator = start_simulator(callback=listener.url("/everybody"))
    Assumed(simulator).connect(callback=listener.url("/this-pairing?secret=1"))
    created = simulator.create_order()
    heard = listener.heard.get(timeout=5)
    assert heard == ("/this-pairing?secret=1", {"rxId": created["rxId"], "accountNumber": "479"})


def test_without_an_own_address_the_installations_is_used(start_simulator: Start, listener: Listener) -> None:
    simulator = start_simulator(callback=listener.url("/everybody"))
    Assumed(simulator).connect()
    created = simulator.create_order()
    assert listener.heard.get(timeout=5) == ("/everybody", {"rxId": created["rxId"], "accountNumber": "479"})


def test_the_contract_dialect_spells_the_notification_its_own_way(start_simulator: Start, listener: Listener) -> None:
    simulator = start_simulator(dialect="contract", callback=listener.url("/everybody"))
    Contract(simulator).connect()
    created = simulator.create_order()
    assert listener.heard.get(timeout=5)[1] == {"RXID": created["rxId"], "CompanyId": "479"}


def test_a_rescan_is_notified_too(start_simulator: Start, listener: Listener) -> None:
    simulator = start_simulator(rescan_after=0.1)
    lab = Assumed(simulator)
    lab.connect(callback=listener.url("/here"))
    created = simulator.create_order()
    listener.heard.get(timeout=5)
    lab.send_back(created["orderId"])
    assert listener.heard.get(timeout=5)[1]["rxId"] == created["rxId"]
    assert simulator.order(created["orderId"])["revision"] == 2


def test_a_refused_notification_is_tried_again(start_simulator: Start, listener: Listener) -> None:
    listener.statuses = [503]
    simulator = start_simulator()
    Assumed(simulator).connect(callback=listener.url("/here"))
    simulator.create_order()
    assert listener.heard.get(timeout=5) == listener.heard.get(timeout=5)


def test_nobody_is_told_without_an_address_or_on_request(start_simulator: Start, listener: Listener) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    simulator.create_order()
    lab.connect(callback=listener.url("/here"))
    simulator.create_order(notify=False)
    assert simulator.truth()["notifications"] == []
