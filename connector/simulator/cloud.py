"""The parts of the vendor's cloud, together."""

import threading
from collections import deque
from dataclasses import dataclass, field

from connector.simulator.clock import Clock
from connector.simulator.faults import Faults
from connector.simulator.files import Cabinet
from connector.simulator.notify import Notifier
from connector.simulator.options import Options, Switches
from connector.simulator.spelling import Call, Dialect
from connector.simulator.state import World

MOST_ASKED = 100_000


@dataclass
class Cloud:
    """What every call may need."""

    options: Options
    dialect: Dialect
    world: World
    clock: Clock
    cabinet: Cabinet
    notifier: Notifier
    faults: Faults
    stopping: threading.Event
    tickets: dict[str, str] = field(default_factory=dict)  # log-ins waiting for consent: ticket → user name
    recent: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=50))
    asked: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_ASKED))  # addresses, as they came

    @property
    def switches(self) -> Switches:
        return self.options.switches

    def call(self, name: str) -> Call:
        return self.dialect.calls[name]
