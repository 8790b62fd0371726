"""Orders made once a run and given to every test's simulator: drawing a case's pictures takes a second each."""

import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.simulator.launch import Simulator

NORMAL = 5


class Stock:
    """One simulator that makes orders, and copies of its state in which they wait to be sent by the practice."""

    def __init__(self, folder: Path, **extras: Any) -> None:
        self._folder, self._extras = folder, extras
        self._maker = Simulator.start(folder, rescan_after=3600)
        self._running = True
        self._made: defaultdict[str, list[str]] = defaultdict(list)

    def copy_to(self, folder: Path, kinds: tuple[str, ...], normal: int = NORMAL) -> dict[str, list[str]]:
        """A state for a new simulator with `normal` good orders of account 479 and one of each broken kind, none of
        them listed yet; order ids by kind."""
        for kind in ("normal",) * normal + kinds:
            if len(self._made[kind]) < (normal if kind == "normal" else 1):
                if not self._running:
                    self._maker.launch()
                    self._running = True
                self._made[kind].append(self._maker.create_order(zip=kind, **self._extras)["orderId"])
        wanted = {kind: self._made[kind][: normal if kind == "normal" else 1] for kind in ("normal", *kinds)}
        ids = {order_id for some in wanted.values() for order_id in some}
        state: dict[str, Any] = json.loads((self._folder / "state.json").read_text())
        state["orders"] = [order | {"status": "Scanning"} for order in state["orders"] if order["order_id"] in ids]
        (folder / "state.json").write_text(json.dumps(state))
        (folder / "cases").mkdir()
        for file in (self._folder / "cases").iterdir():
            os.link(file, folder / "cases" / file.name)
        return wanted

    def stop(self) -> None:
        """Ends the maker; it starts again when a test asks for an order that is not made yet."""
        self._maker.stop()
        self._running = False


STOCK: list[Stock] = []
