"""A desk whose portal reaches Align only through a proxy that can be ill (tests/line/)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connector.pairing import vendor
from tests.align import point_through
from tests.intake.desk import Desk, OpenDesk
from tests.line.proxy import Proxy
from tests.simulator.launch import Simulator

# What stands in the request line of each call, in the assumed dialect.
DOWNLOAD, LIST, LOOK_UP, RETURN = "/assets/", "/orders?", "/by-rx/", "/return "
TOKEN, PAIR, DISCOVERY = "/oauth/token", "/pairing ", "/discovery"

PATIENCE = {"CONNECT_SECONDS": 1.0, "READ_SECONDS": 1.5, "PROGRESS_SECONDS": 2.0, "PROGRESS_BYTES": 20_000}


@dataclass
class Reach:
    """The portal's desk, and the line between it and Align."""

    desk: Desk
    line: Proxy

    def heal(self) -> None:
        """The line and Align are well again."""
        self.line.clear()
        self.line.up()
        self.desk.align.clear_faults()


OpenLine = Callable[..., Reach]


@pytest.fixture
def open_line(open_desk: OpenDesk, settings: Any) -> Iterator[OpenLine]:
    """Opens a desk behind a proxy; the portal is less patient than in earnest."""
    for name, value in PATIENCE.items():
        setattr(settings, f"ITERO_{name}", value)
    lines: list[Proxy] = []

    def between(align: Simulator) -> None:
        lines.append(Proxy(int(align.url.rpartition(":")[2])))
        point_through(settings, align, lines[-1].url)

    def open_it(*kinds: str, **options: Any) -> Reach:
        desk = open_desk(*kinds, through=between, **options)
        return Reach(desk, lines[-1])

    yield open_it
    for line in lines:
        line.stop()


def impatient(settings: Any, **changes: float) -> None:
    """Other limits for the calls from now on: `PROGRESS_BYTES=0`."""
    for name, value in changes.items():
        setattr(settings, f"ITERO_{name}", value)
    vendor.client.cache_clear()
