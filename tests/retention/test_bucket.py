"""With the scans in S3: a case comes in, is read whole and in ranges, and is removed without a byte left anywhere."""

import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from connector.intake import leases
from connector.intake.fetch import fetch_next
from connector.orders import store
from connector.orders.bucket import MOST_IN_MEMORY
from connector.orders.models import ErasedWhy, Order, Revision
from connector.retention.erasing import erase, erase_bytes
from connector.retention.views import WORD
from labportal.labs.tenancy import in_lab
from tests.bucket.launch import Bucket
from tests.intake.desk import Desk, at_once, sha256
from tests.intake.worker_process import wait_for
from tests.line.proxy import Proxy
from tests.line.toxics import Latency
from tests.orders.stored import members
from tests.retention.keeping import age, keep_for, revisions_of, tombstone


def keys_of(bucket: Bucket, order: UUID) -> list[str]:
    return [key for key in bucket.held() if str(order) in key]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def ask(desk: Desk, url: str, wanted: str = "") -> tuple[int, bytes]:
    answer = desk.browser.get(url, headers={"Range": wanted} if wanted else {})
    try:
        return answer.status_code, answer.getvalue()
    finally:
        answer.close()


def taken_in(desk: Desk) -> tuple[Order, Revision]:
    order_id = desk.arrives()
    desk.take_in()
    return desk.order(order_id), desk.revision(order_id)


def let_time_pass(desk: Desk, order: Order) -> None:
    keep_for(desk.lab, 365)
    age(desk.lab, order.order_id, 366)
    desk.sweep()


def by_the_owner(desk: Desk, order: Order) -> None:
    """Removing the patient's data, as the page does it."""
    answer = desk.browser.post("/data/patient/remove", {"order": [str(order.pk)], "word": WORD})
    assert answer.status_code == 302


def test_a_case_in_a_bucket_is_handed_out_whole_and_in_ranges(bucket: Bucket, desk: Desk) -> None:
    order, revision = taken_in(desk)
    url = f"/cases/{order.pk}/revisions/1/zip"
    status, content = ask(desk, url)
    assert (status, sha256(content)) == (200, revision.sha256)
    assert ask(desk, url, "bytes=10-99") == (206, content[10:100])
    assert ask(desk, url, "bytes=-7") == (206, content[-7:])
    file = next(iter(desk.files(order.order_id).values()))
    member = members(content)[file.name]
    page = f"/cases/{order.pk}/files/{file.pk}"
    assert ask(desk, page) == (200, member)
    assert ask(desk, page, "bytes=3-20") == (206, member[3:21])


@pytest.mark.parametrize("goes", [let_time_pass, by_the_owner])
def test_a_removed_case_leaves_nothing_in_the_bucket_and_nothing_on_the_disk(
    bucket: Bucket, desk: Desk, scans: Path, goes: Any
) -> None:
    stays, _ = taken_in(desk)
    order, revision = taken_in(desk)
    for neighbour in (f"portal/scans/labs/{order.lab_id}/{order.pk}/{revision.pk}x", revision.archive):
        bucket.put(neighbour)
    ask(desk, f"/cases/{order.pk}/revisions/1/zip")
    assert f"portal/scans/{revision.archive}" in bucket.held()
    assert len(keys_of(bucket, order.pk)) > 2, "previews lie beside the zip"
    others = [
        key
        for key in bucket.held()
        if not key.startswith(f"portal/scans/labs/{order.lab_id}/{order.pk}/{revision.pk}/")
    ]
    goes(desk, order)
    assert bucket.held() == others
    assert files_in(scans) == []
    assert [row.next_due for row in revisions_of(tombstone(desk.lab, order.order_id))] == [None]
    kept = desk.revision(stays.order_id)
    assert sha256(ask(desk, f"/cases/{stays.pk}/revisions/1/zip")[1]) == kept.sha256


def test_of_an_upload_that_was_cut_off_nothing_is_left_either(bucket: Bucket, desk: Desk) -> None:
    stays, _ = taken_in(desk)
    order, revision = taken_in(desk)
    for each in (order, stays):
        bucket.begin_upload(f"portal/scans/labs/{each.lab_id}/{each.pk}/{revision.pk}/scan.zip")
    erase(desk.lab.pk, order.pk, why=ErasedWhy.REQUEST, by=None)
    erase_bytes(desk.lab.pk, revision.pk)
    assert keys_of(bucket, order.pk) == []
    assert f"portal/scans/labs/{stays.lab_id}/{stays.pk}/{revision.pk}/scan.zip" in bucket.held()


def test_a_zip_that_was_fetched_anew_leaves_its_damaged_version_to_nobody(bucket: Bucket, desk: Desk) -> None:
    order, revision = taken_in(desk)
    bucket.put(f"portal/scans/{revision.archive}", b"damaged")
    desk.browser.get(f"/cases/{order.pk}/revisions/1/zip")
    desk.until_stored(order.order_id)
    assert sha256(ask(desk, f"/cases/{order.pk}/revisions/1/zip")[1]) == revision.sha256
    by_the_owner(desk, order)
    assert keys_of(bucket, order.pk) == []


def test_while_the_bucket_refuses_the_bytes_stay_due(bucket: Bucket, desk: Desk, settings: Any) -> None:
    order, revision = taken_in(desk)
    erase(desk.lab.pk, order.pk, why=ErasedWhy.REQUEST, by=None)
    there = settings.STORAGES
    away = bucket.storage()
    away["OPTIONS"]["bucket_name"] = "no-such-bucket"
    settings.STORAGES = {**there, "scans": away}
    with pytest.raises(OSError, match="NoSuchBucket"):
        erase_bytes(desk.lab.pk, revision.pk)
    settings.STORAGES = there
    assert keys_of(bucket, order.pk)
    desk.sweep()
    assert keys_of(bucket, order.pk) == []


@pytest.mark.parametrize("bucket", [True], indirect=True, ids=["versioned"])
def test_what_the_bucket_itself_locks_stays_due(bucket: Bucket, desk: Desk) -> None:
    """It answers that all went well, but for a row about each object that it keeps."""
    order, revision = taken_in(desk)
    key = f"portal/scans/{revision.archive}"
    bucket.lock(key, on=True)
    erase(desk.lab.pk, order.pk, why=ErasedWhy.REQUEST, by=None)
    with pytest.raises(OSError, match="AccessDenied"):
        erase_bytes(desk.lab.pk, revision.pk)
    assert keys_of(bucket, order.pk) == [key]
    bucket.lock(key, on=False)
    desk.sweep()
    assert keys_of(bucket, order.pk) == []


def test_two_readers_of_one_zip_have_a_copy_each(bucket: Bucket, desk: Desk, scans: Path) -> None:
    _, revision = taken_in(desk)
    with store.as_local_file(revision.archive) as first:
        with store.as_local_file(revision.archive) as second:
            assert second != first
        assert sha256(first.read_bytes()) == revision.sha256
    assert files_in(scans) == []


def test_a_large_zip_is_not_read_into_memory(bucket: Bucket) -> None:
    size = MOST_IN_MEMORY + 1
    bucket.put("portal/scans/large", bytes(size))
    with store.open_stored("large") as file:
        assert len(file.read(size)) == size
        behind: Any = file
        assert behind.file._rolled, "it is in memory"


def test_a_copy_that_nobody_reads_any_more_goes_with_the_next_one(bucket: Bucket, desk: Desk, scans: Path) -> None:
    _, revision = taken_in(desk)
    folder = scans / "staging" / "read"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "old.zip").write_bytes(b"patient")
    (folder / "young.zip").write_bytes(b"patient")
    os.utime(folder / "old.zip", (1, 1))
    with store.as_local_file(revision.archive):
        assert sorted(path.name for path in folder.iterdir() if len(path.name) < 20) == ["young.zip"]


def test_the_copy_of_a_reader_that_was_killed_goes_with_its_case(bucket: Bucket, desk: Desk, scans: Path) -> None:
    order, revision = taken_in(desk)
    reading = store.as_local_file(revision.archive)
    copy = reading.__enter__()
    assert copy.exists()
    by_the_owner(desk, order)
    assert files_in(scans) == []


@pytest.mark.parametrize("bucket", [False], indirect=True, ids=["plain"])
def test_an_upload_that_arrives_after_its_case_was_removed_is_removed(
    line_to_bucket: Proxy, bucket: Bucket, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY", 2)  # until then all bytes are on their way
    line_to_bucket.add(Latency(on="PUT ", seconds=3))
    order_id = desk.arrives()
    desk.poll()
    revision = desk.revision(order_id)

    def removed_meanwhile() -> None:
        wait_for(lambda: bool(line_to_bucket.asked("PUT ")), "the upload did not begin")
        erase(desk.lab.pk, revision.order_id, why=ErasedWhy.REQUEST, by=None)
        with in_lab(desk.lab.pk):  # as if its bytes had been removed already, which was too early
            Revision.objects.of(desk.lab).filter(pk=revision.pk).update(next_due=None)

    at_once(lambda: fetch_next(desk.lab.pk, desk.pairing.pk), removed_meanwhile)
    assert len(keys_of(bucket, revision.order_id)) == 1
    desk.sweep()
    assert keys_of(bucket, revision.order_id) == []
