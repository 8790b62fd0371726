"""While the bucket is away nothing is lost, no page breaks, and each says what is the matter."""

import logging
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from connector.intake.fetch import fetch_next
from connector.intake.reading import read_revision
from connector.orders import bucket as bucket_module
from connector.orders import store
from connector.orders.models import RevisionState
from labportal.keeping import doctor
from labportal.keeping.doctor_line import BAD, OK, Line
from tests.bucket.launch import Bucket
from tests.intake.desk import Desk, sha256, work
from tests.intake.test_download import files_of_at_most
from tests.orders.pages import text_of

pytestmark = pytest.mark.parametrize("bucket", [False], indirect=True, ids=["plain"])
QUICK = Config(connect_timeout=0.3, read_timeout=0.3, retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address that takes connections and says nothing."""
    monkeypatch.setattr(bucket_module, "PATIENCE", QUICK)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(params=["refused", "silent", "no such bucket"])
def away(request: pytest.FixtureRequest, silent: str, bucket: Bucket, settings: Any) -> Callable[[bool], None]:
    """Take the bucket away, each in its own way, and bring it back."""
    there, gone = settings.STORAGES, bucket.storage()
    lost = {
        "refused": {"endpoint_url": "http://127.0.0.1:1"},
        "silent": {"endpoint_url": silent},
        "no such bucket": {"bucket_name": "no-such-bucket"},
    }
    gone["OPTIONS"] |= lost[request.param]

    def switch(is_away: bool) -> None:
        settings.STORAGES = {**there, "scans": gone} if is_away else there

    return switch


def test_a_scan_that_arrives_meanwhile_waits_on_the_disk_and_is_asked_of_align_once(
    away: Callable[[bool], None], desk: Desk
) -> None:
    order_id = desk.arrives()
    away(True)
    desk.take_in()
    revision = desk.revision(order_id)
    assert (revision.state, revision.reason) == (RevisionState.RETRY, "disk")
    assert "could not write the scan where it keeps them" in text_of(desk.browser.get("/attention/"))
    away(False)
    revision = desk.until_stored(order_id)
    assert revision.has_files
    assert desk.downloads(order_id) == 1
    content = desk.browser.get(f"/cases/{revision.order_id}/revisions/1/zip").getvalue()
    assert sha256(content) == revision.sha256 == desk.align.order(order_id)["revisions"][0]["sha256_full"]


@pytest.mark.parametrize("away", ["refused", "silent"], indirect=True)
def test_what_is_asked_for_meanwhile_is_refused_in_words_and_comes_afterwards(
    away: Callable[[bool], None], desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    order_id = desk.arrives()
    desk.take_in()
    order, revision, files = desk.order(order_id), desk.revision(order_id), desk.files(order_id)
    mesh = next(file for role, file in files.items() if file.preview and role != "thumbnail")
    ours = f"/cases/{order.pk}"
    away(True)
    with caplog.at_level(logging.INFO):
        for url in (f"{ours}/revisions/1/zip", f"{ours}/files/{mesh.pk}"):
            answer = desk.browser.get(url)
            assert answer.status_code == 503
            assert "The stored scan cannot be read just now" in text_of(answer)
            assert f'href="{ours}"' in answer.content.decode()
        for url in (f"{ours}/files/{mesh.pk}/preview", f"{ours}/thumbnail"):
            assert desk.browser.get(url).status_code == 503
        several = desk.browser.post("/cases/download", {"order": [str(order.pk)]}, follow=True)
    assert "not in the download: the portal's store does not give the stored file out just now" in text_of(several)
    assert "None of the selected cases" not in text_of(several)
    assert not re.search("no secret|AWS4-HMAC", caplog.text)
    assert order.patient not in caplog.text
    assert desk.revision(order_id).has_files, "a bucket that is away is no damage"
    away(False)
    assert sha256(desk.browser.get(f"{ours}/revisions/1/zip").getvalue()) == revision.sha256


def test_a_reading_begins_again_when_the_bucket_is_back(away: Callable[[bool], None], desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    desk.update_revision(order_id, state=RevisionState.STORED, lease_until=None)
    away(True)
    revision = desk.revision(order_id)
    with pytest.raises(OSError):  # noqa: PT011 - its words are the library's
        read_revision(revision.lab_id, revision.pk)
    assert desk.revision(order_id).state == RevisionState.STORED
    away(False)
    desk.ripen()
    desk.sweep()
    assert desk.revision(order_id).state == RevisionState.READY
    assert desk.files(order_id)


def test_the_doctor_says_so(away: Callable[[bool], None], bucket: Bucket) -> None:
    assert [line.tone for line in told()] == [OK]
    away(True)
    assert [line.tone for line in told()] == [BAD]
    assert "the bucket does not answer" in told()[0].found


def told() -> list[Line]:
    return doctor.examine(["scan store"])


# --- the disk meanwhile -------------------------------------------------------------------------------------------


@pytest.fixture
def gone(bucket: Bucket, settings: Any) -> Callable[[bool], None]:
    """As `away`, in the quickest way."""
    there, nowhere = settings.STORAGES, bucket.storage()
    nowhere["OPTIONS"] |= {"endpoint_url": "http://127.0.0.1:1"}

    def switch(is_away: bool) -> None:
        settings.STORAGES = {**there, "scans": nowhere} if is_away else there

    return switch


def parts(desk: Desk, order_id: str) -> list[Path]:
    return sorted(store.staging(desk.revision(order_id).pk).iterdir())


def test_a_night_of_retries_leaves_one_file_on_the_disk(gone: Callable[[bool], None], desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    gone(True)
    work()
    desk.ripen()
    desk.sweep()
    (kept,) = parts(desk, order_id)
    for _ in range(3):
        desk.ripen()
        desk.sweep()
    assert desk.revision(order_id).attempts == 5
    assert parts(desk, order_id) == [kept], "and it is not written again and again either"
    gone(False)
    desk.until_stored(order_id)
    assert desk.downloads(order_id) == 1


def test_a_scan_that_waits_for_the_bucket_is_not_replaced_by_the_next_one(
    gone: Callable[[bool], None], desk: Desk
) -> None:
    """Align has given it out, and may not do so again; both are stored, each as what it is."""
    order_id = desk.arrives()
    gone(True)
    desk.take_in()
    assert parts(desk, order_id)
    desk.align.tell(f"orders/{order_id}/return", {"reason": "bite", "comment": ""})
    desk.align.wait_for_order(order_id, revision=2, listed=True)
    desk.poll()
    gone(False)
    desk.until_stored(order_id)
    desk.until_stored(order_id)
    assert [(row.number, row.has_files) for row in desk.revisions(order_id)] == [(1, True), (2, True)]
    truth = {row["number"]: row["sha256_full"] for row in desk.align.order(order_id)["revisions"]}
    assert {row.number: row.sha256 for row in desk.revisions(order_id)} == truth
    assert desk.downloads(order_id) == 2


def test_a_copy_that_does_not_fit_leaves_nothing_behind_but_the_zip(gone: Callable[[bool], None], desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    gone(True)
    work()
    before = parts(desk, order_id)
    desk.ripen()
    with files_of_at_most(50_000):
        fetch_next(desk.lab.pk, desk.pairing.pk)
    assert parts(desk, order_id) == before
    gone(False)
    desk.until_stored(order_id)
    assert desk.downloads(order_id) == 1


def test_what_a_worker_left_that_was_killed_while_it_copied_goes(gone: Callable[[bool], None], desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    gone(True)
    work()
    half = store.staging(desk.revision(order_id).pk) / "half.copy"
    half.write_bytes(b"PK")
    desk.ripen()
    desk.sweep()
    assert half not in parts(desk, order_id)
    assert len(parts(desk, order_id)) == 1


def test_on_a_full_disk_a_scan_that_only_needs_the_bucket_goes_through_and_no_other(
    gone: Callable[[bool], None], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = desk.arrives()
    desk.poll()
    gone(True)
    work()
    assert desk.revision(here).reason == "disk"
    new = desk.arrives()
    monkeypatch.setattr(store, "FREE_FLOOR", 1 << 60)
    gone(False)
    desk.poll()
    desk.until_stored(here)
    assert desk.revision(here).has_files
    assert (desk.revision(new).reason, desk.downloads(new)) == ("disk_low", 0)
    monkeypatch.undo()
    assert desk.until_stored(new).has_files


def test_on_a_full_disk_a_damaged_leftover_lets_no_consuming_call_go_out(
    gone: Callable[[bool], None], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = desk.arrives()
    desk.poll()
    gone(True)
    work()
    (part,) = (path for path in parts(desk, order_id) if path.suffix == ".part")
    part.write_bytes(bytes(part.stat().st_size))
    monkeypatch.setattr(store, "FREE_FLOOR", 1 << 60)
    gone(False)
    desk.ripen()
    desk.sweep()
    assert (desk.revision(order_id).reason, desk.downloads(order_id)) == ("disk_low", 1)
