"""While a worker is busy with a case, however slowly, nobody else takes it: its lease is renewed."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread, active_count
from uuid import uuid4

import pytest
from django.db import connections

from connector.intake import fetch, leases, staging
from connector.intake.fetch import fetch_next
from connector.intake.leases import LeaseLost, claim_next
from connector.orders import store
from connector.orders.models import Revision, RevisionState, Wants
from connector.scans.checking import check_in_child
from connector.scans.child import PATIENTLY, Waiting
from tests.bucket.launch import Bucket
from tests.intake.desk import Desk, sha256
from tests.intake.worker_process import wait_for
from tests.line.proxy import Proxy
from tests.line.toxics import Latency
from tests.scans.children import Children
from tests.scans.heavy import heavy_zip

LEASE, RENEW_EVERY = 1.5, 0.2
MEANWHILE = 3 * LEASE


@pytest.fixture(autouse=True)
def short_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no time in advance for a large zip."""
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=LEASE))
    monkeypatch.setattr(leases, "RENEW_EVERY", RENEW_EVERY)
    monkeypatch.setattr(leases, "CHECKED_A_SECOND", 1 << 60)


@contextmanager
def at_work(action: Callable[[], object]) -> Iterator[Thread]:
    """Another worker."""

    def run() -> None:
        try:
            action()
        finally:
            connections.close_all()

    worker = Thread(target=run)
    worker.start()
    try:
        yield worker
    finally:
        worker.join(60)


def begin_to_crawl(desk: Desk) -> str:
    """A case whose download takes more than MEANWHILE, before anybody has taken it."""
    order_id = desk.arrives()
    size = int(desk.align.order(order_id)["revisions"][0]["size"])
    desk.align.fault(call="download", bytes_per_second=int(size / (2 * MEANWHILE)))
    desk.poll()
    return order_id


def claimed_meanwhile(desk: Desk, worker: Thread) -> list[Revision]:
    """What a second worker gets by asking all the time, for three leases."""
    found, end = [], time.monotonic() + MEANWHILE
    while time.monotonic() < end:
        assert worker.is_alive(), "the first worker must be busy all the time, or this shows nothing"
        if claimed := claim_next(desk.lab.pk, desk.pairing.pk):
            found.append(claimed)
            break
        time.sleep(0.1)
    return found


def has_begun(desk: Desk, order_id: str) -> bool:
    return any(part.stat().st_size for part in store.staging(desk.revision(order_id).pk).glob("*.part"))


def test_a_download_that_crawls_keeps_its_lease(desk: Desk) -> None:
    order_id = begin_to_crawl(desk)
    with at_work(lambda: fetch_next(desk.lab.pk, desk.pairing.pk)) as worker:
        wait_for(lambda: has_begun(desk, order_id), "the download did not begin")
        assert claimed_meanwhile(desk, worker) == []
    assert desk.revision(order_id).state == RevisionState.STORED
    assert desk.revision(order_id).attempts == 1
    assert desk.downloads(order_id) == 1
    desk.assert_true_to_align(order_id)


def test_control_without_renewing_a_second_worker_takes_it_and_the_first_has_worked_for_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "renew", lambda *_, **__: None)
    order_id = begin_to_crawl(desk)
    with at_work(lambda: fetch_next(desk.lab.pk, desk.pairing.pk)) as worker:
        wait_for(lambda: has_begun(desk, order_id), "the download did not begin")
        (second,) = claimed_meanwhile(desk, worker)
    assert second.attempts == 2
    assert desk.revision(order_id).state == RevisionState.FETCHING  # the first could not store what it fetched


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its check takes several seconds."""
    return heavy_zip(tmp_path_factory.mktemp("heavy") / "heavy.zip", 100)


def with_heavy_leftover(desk: Desk, heavy: Path) -> Revision:
    """A claimed revision, with a complete zip that a dead worker left."""
    order_id = desk.arrives()
    desk.poll()
    desk.update_revision(order_id, expected_size=heavy.stat().st_size)
    (store.staging(desk.revision(order_id).pk) / f"{uuid4()}.{Wants.FULL}.part").symlink_to(heavy)
    revision = claim_next(desk.lab.pk, desk.pairing.pk)
    assert revision is not None
    return revision


def test_a_check_that_takes_long_keeps_the_lease(desk: Desk, heavy: Path) -> None:
    revision = with_heavy_leftover(desk, heavy)
    with at_work(lambda: staging.adopt(revision)) as worker:
        assert claimed_meanwhile(desk, worker) == []


def test_control_a_check_without_renewing_loses_it(desk: Desk, heavy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "renewing", lambda *_, **__: PATIENTLY)
    revision = with_heavy_leftover(desk, heavy)
    with at_work(lambda: staging.adopt(revision)) as worker:
        assert [each.pk for each in claimed_meanwhile(desk, worker)] == [revision.pk]


def test_a_worker_that_lost_its_lease_stops_its_check(desk: Desk, heavy: Path) -> None:
    revision, children = with_heavy_leftover(desk, heavy), Children()
    desk.update_revision(revision.order.order_id, lease_token=uuid4())
    began = time.monotonic()
    with pytest.raises(LeaseLost):
        check_in_child(heavy, waiting=leases.renewing(revision))
    assert time.monotonic() - began < LEASE
    assert children() == []


# --- a bucket at a slow line --------------------------------------------------------------------------------------

in_a_bucket = pytest.mark.parametrize("bucket", [False], indirect=True, ids=["plain"])


@pytest.fixture
def slow_bucket(line_to_bucket: Proxy) -> Proxy:
    """It takes more than MEANWHILE until an upload has its answer."""
    line_to_bucket.add(Latency(on="PUT ", seconds=2 * MEANWHILE))
    return line_to_bucket


@in_a_bucket
def test_an_upload_over_a_slow_line_keeps_the_lease(slow_bucket: Proxy, desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    with at_work(lambda: fetch_next(desk.lab.pk, desk.pairing.pk)) as worker:
        wait_for(lambda: bool(slow_bucket.asked("PUT ")), "the upload did not begin")
        assert claimed_meanwhile(desk, worker) == []
    revision = desk.revision(order_id)
    assert (revision.state, revision.attempts, desk.downloads(order_id)) == (RevisionState.STORED, 1, 1)
    assert len(slow_bucket.asked("PUT ")) == 1


@in_a_bucket
def test_control_without_renewing_two_workers_take_the_upload_from_each_other(
    slow_bucket: Proxy, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "renewing", lambda *_, **__: PATIENTLY)
    order_id = desk.arrives()
    desk.poll()
    with at_work(lambda: fetch_next(desk.lab.pk, desk.pairing.pk)) as worker:
        wait_for(lambda: bool(slow_bucket.asked("PUT ")), "the upload did not begin")
        (second,) = claimed_meanwhile(desk, worker)
    assert second.attempts == 2
    assert desk.revision(order_id).state == RevisionState.FETCHING  # the first has uploaded for nothing


@in_a_bucket
def test_an_upload_that_arrives_late_brings_the_bytes_that_the_next_worker_has_stored(
    bucket: Bucket, desk: Desk
) -> None:
    order_id = desk.arrives()
    desk.poll()
    first = claim_next(desk.lab.pk, desk.pairing.pk)
    assert first is not None
    with fetch._download(first).path.open("rb") as late:
        desk.ripen()
        fetch_next(desk.lab.pk, desk.pairing.pk)
        stored = desk.revision(order_id)
        store._send(late, stored.archive)
    with store.open_stored(stored.archive) as file:
        assert (stored.attempts, sha256(file.read())) == (2, stored.sha256)


@in_a_bucket
def test_an_upload_whose_lease_is_lost_ends_before_the_worker_goes_on(scans: Path, bucket: Bucket) -> None:
    part, name = scans / "large.part", "labs/a/b/c/scan.zip"
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as file:
        file.truncate(300_000_000)  # more than the libraries read ahead

    def lose() -> None:
        raise LeaseLost

    before = active_count()
    with pytest.raises(LeaseLost):
        store.upload(part, name, waiting=Waiting(0.05, lose))
    assert bucket.held() == []
    assert active_count() == before
