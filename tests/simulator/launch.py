"""Runs the simulator as its own process for a test, and speaks to its back door."""

import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

ROOT = Path(__file__).resolve().parents[2]
SCANNER = ("scanner", "scanner-demo")
REDIRECT_URI = "http://127.0.0.1:8000/connections/callback"
START_SECONDS = 20
STOP_SECONDS = 10


class Simulator:
    """One simulator process; options are the command line's, with underscores: `rescan_after=0.2`, `no_range=True`."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.options: dict[str, Any] = {"redirect_uri": [REDIRECT_URI], "triangles": 200, **options}
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None

    @classmethod
    def start(cls, folder: Path, **options: Any) -> Self:
        """Starts a process whose state and zips lie in `folder`, and waits until it listens."""
        simulator = cls(folder, **options)
        simulator.launch()
        return simulator

    def launch(self) -> None:
        """Starts, or starts again on the same state; the second time on the same port."""
        port = self.ready["url"].rpartition(":")[2] if self.ready else "0"
        command = [sys.executable, "-m", "connector.simulator", "--port", port]
        command += ["--state", str(self.folder / "state.json"), "--cases", str(self.folder / "cases")]
        self._process = subprocess.Popen(command + self._flags(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.ready = _announcement(self._process)

    def _flags(self) -> list[str]:
        flags: list[str] = []
        for name, value in self.options.items():
            flag = f"--{name.replace('_', '-')}"
            if isinstance(value, bool):
                flags += [flag] if value else []
                continue
            for single in value if isinstance(value, list | tuple) else [value]:
                flags += [flag, str(single)]
        return flags

    @property
    def url(self) -> str:
        """Scheme, host and port, without a slash at the end."""
        return str(self.ready["url"])

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process and gives its exit code; harmless when it has ended already."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if process.poll() is None:
            process.send_signal(number)
        try:
            code = process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def truth(self) -> dict[str, Any]:
        """All that the vendor knows for sure."""
        answer = requests.get(f"{self.url}/_sim/truth", timeout=10)
        answer.raise_for_status()
        truth: dict[str, Any] = answer.json()
        return truth

    def asked(self) -> list[str]:
        """Every address that was asked for since it started, as it was written, but for the back door's."""
        answer = requests.get(f"{self.url}/_sim/asked", timeout=10).json()
        assert not answer["forgotten"], "more addresses were asked for than are kept"
        asked: list[str] = answer["asked"]
        return asked

    def order(self, order_id: str) -> dict[str, Any]:
        """The truth of one order."""
        return next(order for order in self.truth()["orders"] if order["order_id"] == order_id)

    def create_order(self, account_id: int = 479, **extras: Any) -> dict[str, str]:
        """A practice sends a scan; gives `{"orderId", "rxId"}`."""
        body: dict[str, Any] = {
            "companyId": account_id,
            "scannerSerialNumber": "SIM-0001",
            "procedureMapId": 1,
            "patient": {"firstName": "Ada", "lastName": "Winter", "chartNumber": "C-17"},
        }
        answer = requests.post(
            f"{self.url}/api/v1/order/create-new-order", json=body | extras, auth=SCANNER, timeout=60
        )
        assert answer.status_code == 201, answer.text
        created: dict[str, str] = answer.json()
        return created

    def fault(self, **fault: Any) -> None:
        """Sets a fault: `call="download", reset_at=0.5, times=1`."""
        self.tell("faults", fault)

    def clear_faults(self) -> None:
        requests.delete(f"{self.url}/_sim/faults", timeout=10).raise_for_status()

    def advance_clock(self, seconds: float) -> None:
        """Moves the vendor's clock forward."""
        self.tell("clock", {"advance": seconds})

    def switch(self, **switches: Any) -> None:
        """Turns switches while it runs: `second_download="gone"`, `redirect_uris=[…]`."""
        self.tell("switches", switches)

    def tell(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Posts to the back door: `tell("orders/123456001/model")`."""
        answer = requests.post(f"{self.url}/_sim/{what}", json=body or {}, timeout=30)
        assert answer.ok, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def wait_for_order(self, order_id: str, seconds: float = 10, **wanted: Any) -> dict[str, Any]:
        """Waits until the truth of an order shows the wanted values: `revision=2, listed=True`."""
        end = time.monotonic() + seconds
        while True:
            order = self.order(order_id)
            if all(order[name] == value for name, value in wanted.items()):
                return order
            assert time.monotonic() < end, f"after {seconds} s the order still is {order}"
            time.sleep(0.05)


def _announcement(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if readable else ""
    if not line.startswith("SIMULATOR READY "):
        process.kill()
        process.wait()
        raise RuntimeError(f"The simulator did not start: {line!r}")
    ready: dict[str, Any] = json.loads(line.removeprefix("SIMULATOR READY "))
    return ready


Start = Callable[..., Simulator]  # the command line's options by name
