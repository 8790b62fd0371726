"""A lab at work in a test: its pairing with a running simulator, and a worker's turns in this process."""

import hashlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

from django.conf import settings
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ

from connector.intake.models import Notification, SyncRun
from connector.intake.poll import poll
from connector.itero.profile import ASSUMED
from connector.orders import store
from connector.orders.models import Event, Order, Restoration, Revision, RevisionState, ScanFile, TimelineEvent
from connector.pairing import vendor
from connector.pairing.models import FetchMode, Pairing
from labportal.doors import TaskFailed
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from labportal.tick import tick
from tests.align import PROFILES, again, callback_secret, change, pair_lab
from tests.simulator.launch import Simulator

ROUNDS = 60
READY = "Ready for Download"
# What the page's size is called, by dialect: when counting orders or following links, when counting pages.
PAGE_SIZE_WORDS = {"assumed": ("limit", "pageSize"), "contract": ("Limit", "Size")}


@dataclass
class Desk:
    """One lab, one pairing; every read is what a worker or a page would see."""

    align: Simulator
    lab: Lab
    pairing: Pairing
    browser: Client
    in_stock: dict[str, list[str]]

    def arrives(self, kind: str = "normal") -> str:
        """A practice's scan becomes ready at Align, without a notification; its order id."""
        order_id = self.in_stock[kind].pop(0)
        self.align.tell(f"orders/{order_id}/status", {"status": READY, "listed": True})
        return order_id

    def rx_id(self, order_id: str) -> str:
        return str(self.align.order(order_id)["rx_id"])

    @property
    def secret(self) -> str:
        """Of the notification address that Align has."""
        return callback_secret(self.align, self.pairing.account_id)

    def downloads(self, order_id: str) -> int:
        """How often Align has begun to give out its full zip."""
        return int(self.align.order(order_id)["downloads"])

    # --- working -----------------------------------------------------------------------------------------------------

    def poll(self) -> SyncRun:
        """Look at Align's list now."""
        change(self.pairing, next_due=timezone.now(), paused_until=None)
        run = poll(self.lab.pk, self.pairing.pk)
        assert run is not None
        return run

    def take_in(self) -> None:
        """Poll, and do all that follows from it."""
        self.poll()
        work()

    def sweep(self) -> None:
        """The tick of a portal whose queue was lost: everything is found again from our own tables."""
        OrmQ.objects.all().delete()
        tick()
        work()

    def ripen(self) -> None:
        """Waiting times are over: of retries, of leases of dead workers, of a pause."""
        now = timezone.now() - timedelta(seconds=1)
        change(self.pairing, paused_until=None)
        with in_lab(self.lab.pk):
            rows = Revision.objects.of(self.lab)
            rows.filter(state=RevisionState.RETRY).update(next_due=now)
            rows.filter(state=RevisionState.STORED).update(next_due=now, lease_until=None)
            rows.filter(state=RevisionState.FETCHING).update(lease_until=now)

    def update_revision(self, order_id: str, **values: Any) -> None:
        with in_lab(self.lab.pk):
            Revision.objects.of(self.lab).filter(pk=self.revision(order_id).pk).update(**values)

    def until_stored(self, order_id: str) -> Revision:
        """Ripen and sweep, a few times."""
        for _ in range(4):
            self.ripen()
            self.sweep()
            if self.revision(order_id).has_files:
                break
        return self.revision(order_id)

    def push(self, order_id: str, secret: str = "") -> int:
        """Align's notification of an order; the answer's status."""
        return self.push_body({"rxId": self.rx_id(order_id)}, secret)

    def push_body(self, body: Any, secret: str = "") -> int:
        url = reverse("notify", args=[secret or self.secret])
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Client().post(url, content, content_type="application/json").status_code

    # --- looking -----------------------------------------------------------------------------------------------------

    def orders(self) -> list[Order]:
        with in_lab(self.lab.pk):
            return list(Order.objects.of(self.lab).order_by("order_id"))

    def order(self, order_id: str) -> Order:
        with in_lab(self.lab.pk):
            return Order.objects.of(self.lab).select_related("pairing").get(order_id=order_id)

    def revisions(self, order_id: str) -> list[Revision]:
        with in_lab(self.lab.pk):
            rows = Revision.objects.of(self.lab).select_related("order", "order__pairing")
            return list(rows.filter(order__order_id=order_id).order_by("number"))

    def revision(self, order_id: str) -> Revision:
        """The latest."""
        return self.revisions(order_id)[-1]

    def files(self, order_id: str, number: int = 1) -> dict[str, ScanFile]:
        """By role; of several with one role, the last."""
        with in_lab(self.lab.pk):
            rows = ScanFile.objects.of(self.lab).filter(revision__order__order_id=order_id, revision__number=number)
            return {row.role: row for row in rows}

    def teeth(self, order_id: str) -> list[Restoration]:
        with in_lab(self.lab.pk):
            return list(Restoration.objects.of(self.lab).filter(order__order_id=order_id))

    def events(self) -> list[Event]:
        with in_lab(self.lab.pk):
            return list(Event.objects.of(self.lab).select_related("revision"))

    def runs(self) -> list[SyncRun]:
        """Newest first."""
        with in_lab(self.lab.pk):
            return list(SyncRun.objects.of(self.lab))

    def notifications(self) -> list[Notification]:
        with in_lab(self.lab.pk):
            return list(Notification.objects.of(self.lab).order_by("received_at"))

    def timeline(self, order_id: str) -> list[str]:
        """Kinds, oldest first."""
        with in_lab(self.lab.pk):
            rows = TimelineEvent.objects.of(self.lab).filter(order__order_id=order_id).order_by("at")
            return [row.kind for row in rows]

    def body(self, url: str) -> tuple[str, bytes]:
        """A streamed answer: its type and its bytes."""
        answer = self.browser.get(url)
        try:
            return answer["Content-Type"], answer.getvalue()
        finally:
            answer.close()

    def pairing_now(self) -> Pairing:
        return again(self.pairing)

    def zip_of(self, revision: Revision) -> Path:
        path = store.local_path(revision.archive)
        assert path is not None
        return path

    def assert_true_to_align(self, order_id: str) -> None:
        """The oracle: every revision's zip is the one that Align gave out, and was announced exactly once."""
        truth = {row["number"]: row for row in self.align.order(order_id)["revisions"]}
        for revision in self.revisions(order_id):
            assert revision.has_files, (revision.number, revision.state, revision.reason)
            bytes_on_disk = self.zip_of(revision).read_bytes()
            assert sha256(bytes_on_disk) == revision.sha256 == truth[revision.number]["sha256_full"]
            assert len(bytes_on_disk) == revision.size == truth[revision.number]["size"]
            assert revision.lease_token is None
            assert [e.kind for e in self.events() if e.revision_id == revision.pk] == ["revision.stored"]
        assert [event.seq for event in self.events()] == list(range(1, len(self.events()) + 1))


OpenDesk = Callable[..., Desk]


def make_desk(
    align: Simulator, orders: dict[str, list[str]], lab: Lab, browser: Client, *, mode: str = FetchMode.FULL
) -> Desk:
    """Pair through the pages; the first look that the pairing rings for is left out, so that a test decides when."""
    pairing = pair_lab(browser, align, "479", fetch_mode=mode)
    OrmQ.objects.all().delete()
    return Desk(align, lab, pairing, browser, orders)


def work(*, forgiving: bool = False, rounds: int = ROUNDS) -> list[str]:
    """A worker's turn: run what is queued, in order, until nothing is; gives the tasks' names. `forgiving`: a task that
    fails is gone, as with the real queue, and the next one is run."""
    done: list[str] = []
    for _ in range(rounds):
        row = OrmQ.objects.order_by("pk").first()
        if row is None:
            return done
        row.delete()
        done.append(row.task["func"])
        try:
            import_string(row.task["func"])(*row.task["args"])
        except TaskFailed:
            if not forgiving:
                raise
    raise AssertionError(f"the queue does not run dry: {done[-6:]}")


def queued() -> list[str]:
    return [row.task["func"].rpartition(".")[2] for row in OrmQ.objects.order_by("pk")]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def point_scans_at(values: Any, folder: Path) -> None:
    """Zips, staging and derived files of this test."""
    values.SCANS_DIR = folder
    values.STORAGES = {
        **settings.STORAGES,
        "scans": {**settings.STORAGES["scans"], "OPTIONS": {"location": str(folder)}},
    }


def page_by(values: Any, folder: Path, dialect: str, style: str, *, size: int = 2) -> None:
    """The profile in use, with short pages of this style."""
    source = Path(PROFILES[dialect] or ASSUMED)
    word = PAGE_SIZE_WORDS[dialect][style == "page"]
    text = re.sub(r'(?m)^style = ".*"$', f'style = "{style}"', source.read_text())
    text = re.sub(r"(?m)^page_size = \d+$", f"page_size = {size}", text)
    text = re.sub(r'(?m)^(size = \{ where = "query", name = )"\w+"', rf'\1"{word}"', text)
    profile = folder / "profile.toml"
    profile.write_text(text)
    values.ITERO_PROFILE = str(profile)
    forget_profile()


def forget_profile() -> None:
    vendor.profile.cache_clear()
    vendor.client.cache_clear()


def at_once(*actions: Callable[[], object]) -> None:
    """Run each in a thread with its own database connection, all started together; raises what one raised."""
    gate = Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        try:
            gate.wait(20)
            action()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(actions)) as pool:
        for future in [pool.submit(run, action) for action in actions]:
            future.result(60)
