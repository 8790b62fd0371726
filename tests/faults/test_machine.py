"""The machine fails under the portal: database, disk, clock. Nobody repairs anything but the machine itself."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.intake import staging
from connector.intake.staging import Staged
from connector.orders import store
from connector.orders.case import explain
from connector.orders.models import Revision, RevisionState
from labportal.labs.tenancy import in_lab
from labportal.running import clock
from tests.align import change, words_on
from tests.faults import forking
from tests.faults.findings import Findings
from tests.faults.machine import (
    bring_database,
    dice,
    durable_commits,
    kill_database,
    on_a_disk_of,
    with_a_bad_fsync,
    with_the_clock_wrong_by,
)
from tests.faults.recovery import recover
from tests.faults.scenes import look_and_work
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, OpenDesk
from tests.intake.worker_process import wait_for

ORDERS = 3
ENOUGH = ORDERS * 5
SLOW = 150_000  # bytes a second: a download that can be met in its middle
EACH_WRITE = [
    "download.after_piece", "download.before_fsync", "download.after_fsync", "store.after_upload", "store.after_state",
    "store.after_rename", "resume.after_copy", "reading.after_examine", "reading.after_previews",
]  # fmt: skip


@pytest.fixture
def durable(anna: Client) -> Iterator[None]:
    """A database that keeps what it has committed; its death ends no other test."""
    with durable_commits():
        yield


def arrive(desk: Desk, number: int = ORDERS) -> list[str]:
    """Scans are on Align's list, and the next look is due."""
    orders = [desk.arrives() for _ in range(number)]
    change(desk.pairing, next_due=timezone.now())
    return orders


# --- the database -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how", [pytest.param("SIGKILL", marks=pytest.mark.cut), "SIGQUIT"], ids=["killed", "immediate"]
)
@pytest.mark.fault_case("machine", "PostgreSQL ended by {how} while scans come in")
def test_the_database_dies_while_scans_come_in(
    durable: None, open_desk: OpenDesk, verdict: Verdict, seeds: range, how: str
) -> None:
    desk, in_mid_batch = open_desk(normal=ENOUGH), 0
    for seed in seeds:
        throw = dice(how, seed)
        orders = arrive(desk)
        desk.align.fault(call="download", bytes_per_second=SLOW, times=0)
        worker = forking.start(partial(look_and_work, desk))
        if seed % 2 == 0:  # while a scan is fetched; the others at any moment
            wait_for(lambda: are_fetched(desk) > 0, "no download began")
        time.sleep(throw.uniform(0.05, 1.5) if seed % 2 else throw.uniform(0.0, 0.3))
        kill_database(signal.Signals[how])
        desk.align.clear_faults()
        time.sleep(throw.uniform(0.0, 1.0))
        forking.wait(worker)  # by an error, or it was done already
        bring_database()
        in_mid_batch += 0 < are_fetched(desk) < len(orders)
        recover(desk, queue_lost=throw.random() < 0.5)
        verdict(desk, orders)
    assert in_mid_batch > 0, "no kill met a scan that was being fetched, with others behind it"


def are_fetched(desk: Desk) -> int:
    """How many scans somebody is fetching, as our rows say."""
    with in_lab(desk.lab.pk):
        return Revision.objects.of(desk.lab).filter(state=RevisionState.FETCHING).count()


@pytest.mark.cut
@pytest.mark.fault_case("machine", "pushes while the database is away: refused, and sent again")
def test_a_push_is_never_accepted_in_vain(durable: None, open_desk: OpenDesk, verdict: Verdict) -> None:
    desk = open_desk()
    order_id = desk.in_stock["normal"].pop(0)
    desk.align.tell(f"orders/{order_id}/status", {"status": "Ready for Download"})  # on no list: the push is all
    url, body = reverse("notify", args=[desk.secret]), {"rxId": desk.rx_id(order_id)}
    kill_database()
    refused = Client(raise_request_exception=False).post(url, body, content_type="application/json")
    assert (refused.status_code, refused["Retry-After"]) == (503, "10")
    bring_database()
    assert Client().post(url, body, content_type="application/json").status_code == 202
    recover(desk)
    verdict(desk, [order_id])


# --- the disk -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("percent", [10, pytest.param(50, marks=pytest.mark.cut), 99])
@pytest.mark.fault_case("machine", "the disk is full at {percent} % of the zip")
def test_the_disk_is_full_in_mid_download(open_desk: OpenDesk, verdict: Verdict, percent: int) -> None:
    desk = open_desk()
    (order_id,) = arrive(desk, 1)
    size = int(desk.align.order(order_id)["revisions"][-1]["size"])
    assert forking.run(on_a_disk_of(size * percent // 100, partial(look_and_work, desk))) == 0
    assert_told(desk, order_id, "disk")
    recover(desk)
    verdict(desk, [order_id])


@pytest.mark.parametrize("point", EACH_WRITE)
@pytest.mark.fault_case("machine", "no space left at {point}")
def test_no_space_is_left_at_a_point(open_desk: OpenDesk, verdict: Verdict, point: str) -> None:
    desk = open_desk()
    if point.startswith("resume."):
        desk.align.fault(call="download", reset_at=0.4)
    orders = arrive(desk)
    forking.run(partial(look_and_work, desk), "" if point.startswith("resume.") else f"{point}:enospc:*")
    if point.startswith("resume."):
        desk.ripen()
        forking.run(partial(look_and_work, desk), f"{point}:enospc:*")
    recover(desk)
    verdict(desk, orders)


@pytest.mark.cut
@pytest.mark.fault_case("machine", "the disk is nearly full: no download starts, nothing is consumed")
def test_no_download_starts_on_a_disk_that_is_nearly_full(
    open_desk: OpenDesk, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk()
    desk.align.switch(second_download="gone")
    with monkeypatch.context() as full:
        full.setattr(store, "FREE_FLOOR", 1 << 60)
        orders = arrive(desk)
        look_and_work(desk)
        assert [desk.downloads(order_id) for order_id in orders] == [0] * ORDERS
        assert_told(desk, orders[0], "disk_low")
    recover(desk)
    verdict(desk, orders)


def assert_told(desk: Desk, order_id: str, code: str) -> None:
    """It waits, and the case's page says for what."""
    revision = desk.revision(order_id)
    assert (revision.state, revision.reason) == (RevisionState.RETRY, code)
    assert explain(code) in words_on(desk.browser, f"/cases/{revision.order_id}")


def after_a_bad_fsync(desk: Desk) -> tuple[list[str], Findings]:
    """The download whose fsync failed is complete to the eye. Is its file, which may be nowhere on the disk, stored?"""
    orders, inode = arrive(desk, 1), multiprocessing.Value("Q", 0)
    desk.align.switch(second_download="gone")  # it may be the only copy: it is taken, not fetched again
    action = with_a_bad_fsync(partial(look_and_work, desk), lambda seen: setattr(inode, "value", seen))
    assert forking.run(action) == 0
    assert_told(desk, orders[0], "disk")
    recover(desk)
    found = Findings()
    same = desk.zip_of(desk.revision(orders[0])).stat().st_ino == inode.value
    found.count("wrong", "the file whose fsync failed was stored", same)
    return orders, found


@pytest.mark.cut
@pytest.mark.fault_case("machine", "fsync fails: the bytes are written anew")
def test_a_file_whose_fsync_failed_is_not_trusted(open_desk: OpenDesk, verdict: Verdict) -> None:
    desk = open_desk()
    orders, found = after_a_bad_fsync(desk)
    verdict(desk, orders, also=found)


@pytest.mark.fault_case("machine", "fsync fails, and is called again on the same file", control=True)
def test_without_the_copy_the_file_is_trusted(
    open_desk: OpenDesk, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trust(path: Path, size: int) -> Staged:
        with path.open("rb") as file:
            os.fsync(file.fileno())
        return Staged(path, staging._sha256(path), size)

    monkeypatch.setattr(staging, "_copy_of", trust)
    desk = open_desk()
    orders, found = after_a_bad_fsync(desk)
    verdict(desk, orders, also=found)


# --- the clock ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [2, -2, 24 * 400], ids=lambda hours: f"{hours} h")
@pytest.mark.fault_case("machine", "a worker's clock is wrong by {hours} h")
def test_a_workers_clock_is_wrong(open_desk: OpenDesk, verdict: Verdict, hours: int) -> None:
    desk = open_desk()
    orders = arrive(desk)
    forking.run(with_the_clock_wrong_by(hours, partial(look_and_work, desk)))
    look_and_work(desk)  # at once, by a worker whose clock is right
    verdict(desk, orders)


@pytest.mark.fault_case("machine", "a worker's clock is wrong by 2 h, and it works all the same", control=True)
def test_without_the_look_at_the_clock_cases_wait_for_hours(
    open_desk: OpenDesk, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "WRONG", 1e9)
    desk = open_desk()
    orders = arrive(desk)
    forking.run(with_the_clock_wrong_by(2, partial(look_and_work, desk)))
    look_and_work(desk)
    verdict(desk, orders)
