"""The whole truth under one lock, and its snapshot on disk."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connector.simulator.records import (
    Account,
    Code,
    Family,
    Notification,
    Order,
    Returned,
    Revision,
    Step,
    Token,
    User,
)

USERS = (
    User("nordlicht@myitero.example", "scan-demo", (479, 480)),
    User("harbour@myitero.example", "scan-demo", (512,)),
    User("solo@myitero.example", "scan-demo", (600,)),
    User("nobody@myitero.example", "scan-demo", ()),
)
REGIONS = ("us", "eu")
FIRST_ORDER_NUMBER = 123456001


def _opening_accounts() -> dict[int, Account]:
    accounts = (
        Account(479, "Nordlicht Dental", "Hafenstrasse 12, 20457 Hamburg", "eu"),
        Account(480, "Nordlicht Ortho", "Hafenstrasse 14, 20457 Hamburg", "eu"),
        Account(512, "Harbour Ceramics", "88 Quay Street, Portland, ME 04101", "us"),
        Account(600, "Solo Dental Studio", "7 Mill Lane, Austin, TX 78701", "us"),
    )
    return {account.account_id: account for account in accounts}


class World:
    """Everything that must survive a restart; read under `lock`, write inside `change()`."""

    def __init__(self, file: Path | None) -> None:
        self.lock = threading.RLock()
        self.accounts = _opening_accounts()
        self.users = {user.username: user for user in USERS}
        self.codes: dict[str, Code] = {}
        self.families: dict[str, Family] = {}
        self.tokens: dict[str, Token] = {}
        self.orders: dict[str, Order] = {}
        self.notifications: list[Notification] = []
        self.calls: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.clock_offset = 0.0
        self.next_number = FIRST_ORDER_NUMBER
        self._file = file
        self._file_lock = threading.Lock()
        self._version = 0
        self._saved = 0
        if file is not None and file.exists():
            self._load(json.loads(file.read_text("utf-8")))

    @contextmanager
    def change(self) -> Iterator[None]:
        """One change of the truth; saved before it returns, also when a refusal is raised inside."""
        try:
            with self.lock:
                self._version += 1
                mine = self._version
                yield
        finally:
            self._save(mine)

    def _save(self, version: int) -> None:
        if self._file is None:
            return
        with self._file_lock:
            if self._saved >= version:
                return  # another thread's snapshot already held this change
            with self.lock:
                version, text = self._version, json.dumps(self._snapshot(), default=vars)
            part = self._file.with_name(self._file.name + ".part")
            part.touch(mode=0o600)
            part.write_text(text, "utf-8")
            part.replace(self._file)
            self._saved = version

    def _snapshot(self) -> dict[str, Any]:
        return {
            "accounts": list(self.accounts.values()),
            "codes": list(self.codes.values()),
            "families": list(self.families.values()),
            "tokens": list(self.tokens.values()),
            "orders": list(self.orders.values()),
            "notifications": self.notifications,
            "calls": dict(self.calls),
            "counts": dict(self.counts),
            "clock_offset": self.clock_offset,
            "next_number": self.next_number,
        }

    def _load(self, saved: dict[str, Any]) -> None:
        self.accounts = {row["account_id"]: Account(**row) for row in saved["accounts"]}
        self.codes = {row["value"]: Code(**row) for row in saved["codes"]}
        self.families = {row["family_id"]: Family(**row) for row in saved["families"]}
        self.tokens = {row["value"]: Token(**row) for row in saved["tokens"]}
        self.orders = {row["order_id"]: _order(row) for row in saved["orders"]}
        self.notifications = [Notification(**row) for row in saved["notifications"]]
        self.calls = Counter(saved["calls"])
        self.counts = Counter(saved["counts"])
        self.clock_offset = saved["clock_offset"]
        self.next_number = saved["next_number"]


def _order(row: dict[str, Any]) -> Order:
    first, last, chart = row["patient"]
    step = row["next_step"]
    nested = {
        "patient": (first, last, chart),
        "next_step": Step(**step) if step else None,
        "revisions": [Revision(**revision) for revision in row["revisions"]],
        "returns": [Returned(**returned) for returned in row["returns"]],
    }
    return Order(**(row | nested))
