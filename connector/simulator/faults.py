"""Faults on purpose: which call goes wrong, how, and how many times."""

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

from connector.simulator.messages import Refusal

CALLS = (
    "token",
    "refresh",
    "revoke",
    "discovery",
    "accounts",
    "pair",
    "unpair",
    "orders",
    "orderByRxId",
    "download",
    "return",
)


@dataclass
class Fault:
    """One fault; `times` 0 lasts until cleared, `skip` lets that many calls pass first, `path` narrows by substring.

    With `status` the call has no effect at the vendor. All others happen after the vendor did its part, which is the
    nastier order: a refresh has rotated the token, a download has taken the order off the list.
    """

    call: str = "*"
    times: int = 1
    skip: int = 0
    path: str = ""
    latency: float = 0.0
    status: int = 0
    retry_after: str = ""
    reset_at: float | None = None  # fraction of the body, then TCP RST; 0 sends nothing at all
    truncate_at: float | None = None  # fraction of the body, then an ordinary close
    wrong_length: bool = False  # Content-Length and body both end a tenth too early
    garbage: bool = False
    html: bool = False
    half_json: bool = False
    bytes_per_second: int = 0
    hits: int = 0

    def concerns(self, call: str, path: str) -> bool:
        return self.call in ("*", call) and self.path in path


class Faults:
    """The faults that are set, in the order they were set; the first that concerns a call is used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Sets a fault; 400 in words when it can't be understood."""
        fault = _understand(wanted)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def take(self, call: str, path: str) -> Fault | None:
        """The fault for this call, counted as used."""
        with self._lock:
            for fault in self._faults:
                if not fault.concerns(call, path):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    return None
                fault.hits += 1
                if fault.times and fault.hits >= fault.times:
                    self._faults.remove(fault)
                return fault
        return None

    def listing(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]


def _understand(wanted: dict[str, Any]) -> Fault:
    known = {item.name: item for item in fields(Fault) if item.name != "hits"}
    given = {name: value for name, value in wanted.items() if value not in ("", None)}
    for name in given:
        if name not in known:
            raise Refusal(400, "bad_request", f"A fault has no {name!r}; it has {', '.join(known)}.")
    if given.get("call", "*") not in ("*", *CALLS):
        raise Refusal(400, "bad_request", f"call is * or one of {', '.join(CALLS)}.")
    try:
        return Fault(**{name: _converted(name, value) for name, value in given.items()})
    except (TypeError, ValueError):
        raise Refusal(400, "bad_request", "A value of this fault can't be understood.") from None


def _converted(name: str, value: Any) -> Any:
    if name in ("times", "skip", "status", "bytes_per_second"):
        return int(value)
    if name in ("latency", "reset_at", "truncate_at"):
        return float(value)
    if name in ("wrong_length", "garbage", "html", "half_json"):
        return value in (True, "true", "on", "1")
    return str(value)
