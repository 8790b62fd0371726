"""One worker reads a stored zip at a time: by the database's clock, and one that lost its turn writes nothing."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from connector.intake import reading
from connector.intake.fetch import fetch_next
from connector.intake.leases import READING, claim_reading
from connector.intake.reading import read_revision
from connector.orders import store
from connector.orders.models import RevisionState
from connector.scans import examination
from connector.scans.examination import examine
from tests.align import words_on
from tests.intake.desk import Desk, sha256, work
from tests.intake.worker_process import wait_for
from tests.scans.children import Children

LIMIT = 6


def stored(desk: Desk) -> str:
    order_id = desk.arrives()
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)
    assert desk.revision(order_id).state == RevisionState.STORED
    return order_id


def late_reader(desk: Desk, order_id: str, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
    """A reading whose turn ends, and which notices nothing, while its child is at work."""

    def slept(*args: Any) -> Any:
        found = examine(*args)
        desk.update_revision(order_id, lease_until=timezone.now() - timedelta(seconds=1))
        meanwhile()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(reading, "examine", slept)
        read_revision(desk.lab.pk, desk.revision(order_id).pk)


def derived(desk: Desk, order_id: str) -> list[Path]:
    folder = desk.zip_of(desk.revision(order_id)).parent / "derived"
    return sorted(folder.glob("*"))


def test_a_late_reader_writes_nothing_while_another_one_reads(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id, seconds = stored(desk), []

    def second_begins() -> None:
        seconds.append(claim_reading(desk.lab.pk, desk.revision(order_id).pk))
        (store.staging(desk.revision(order_id).pk) / "of the second").mkdir()

    late_reader(desk, order_id, monkeypatch, second_begins)
    (second,) = seconds
    assert second is not None
    now = desk.revision(order_id)
    assert (now.state, now.lease_token, now.reason) == (RevisionState.STORED, second.lease_token, "")
    assert (desk.files(order_id), desk.order(order_id).thumbnail, derived(desk, order_id)) == ({}, "", [])
    assert [each.name for each in store.staging(second.pk).iterdir()] == ["of the second"]
    assert "ready" not in desk.timeline(order_id)
    reading._read(second)
    assert desk.revision(order_id).state == RevisionState.READY
    assert desk.files(order_id)


def test_a_late_reader_writes_nothing_when_another_one_has_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id, after = stored(desk), []

    def second_reads() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(reading, "examine", examine)
            read_revision(desk.lab.pk, desk.revision(order_id).pk)
        after.append((desk.revision(order_id).ready_at, {f.pk for f in desk.files(order_id).values()}))

    late_reader(desk, order_id, monkeypatch, second_reads)
    assert (desk.revision(order_id).ready_at, {f.pk for f in desk.files(order_id).values()}) == after[0]
    assert desk.timeline(order_id).count("ready") == 1


def test_a_late_reader_of_a_removed_case_leaves_no_picture_of_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = stored(desk)
    archive = desk.revision(order_id).archive
    late_reader(
        desk,
        order_id,
        monkeypatch,
        lambda: desk.update_revision(order_id, state=RevisionState.ERASED, lease_token=None, lease_until=None),
    )
    path = store.local_path(archive)
    assert path is not None
    assert list(path.parent.glob("derived/*")) == []
    assert desk.revision(order_id).state == RevisionState.ERASED


@pytest.mark.parametrize("wrong", [timedelta(days=1), timedelta(days=-1)])
def test_a_worker_with_a_wrong_clock_takes_no_turn_away_and_gives_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, wrong: timedelta
) -> None:
    order_id, right = stored(desk), timezone.now
    ids = desk.lab.pk, desk.revision(order_id).pk
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: right() + wrong)
        first = claim_reading(*ids)
        assert first is not None
        assert claim_reading(*ids) is None
    assert claim_reading(*ids) is None
    assert first.lease_until is not None
    assert abs(first.lease_until - right() - READING) < timedelta(minutes=1)
    desk.update_revision(order_id, lease_until=right() - timedelta(seconds=1))
    with monkeypatch.context() as patch:
        patch.setattr(timezone, "now", lambda: right() + wrong)
        assert claim_reading(*ids) is not None


def test_an_examination_that_hangs_holds_nothing_up_and_ends_by_its_limit(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real child that hangs. Meanwhile its zip can be downloaded, and other cases are stored."""
    order_id, other, children = desk.arrives(), desk.arrives(), Children()
    monkeypatch.setattr(examination, "CHILD", "tests.scans.bad_children.hangs")
    monkeypatch.setattr(reading, "examine", partial(examine, time_limit=LIMIT))
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)
    assert desk.revision(order_id).state == RevisionState.STORED
    began = time.monotonic()
    reader = Thread(target=read, args=(desk, order_id))
    reader.start()
    try:
        wait_for(lambda: bool(children()), "the child did not start")
        fetch_next(desk.lab.pk, desk.pairing.pk)
        assert [event.revision_id for event in desk.events()] == [
            desk.revision(order_id).pk,
            desk.revision(other).pk,
        ]
        kind, content = desk.body(f"/cases/{desk.order(order_id).pk}/revisions/1/zip")
        assert (kind, sha256(content)) == ("application/zip", desk.revision(order_id).sha256)
        assert desk.revision(order_id).state == RevisionState.STORED
        assert reader.is_alive(), "all that must happen while it hangs"
    finally:
        reader.join(60)
    assert LIMIT <= time.monotonic() - began < LIMIT + 20
    assert (desk.revision(order_id).state, desk.revision(order_id).reason) == (RevisionState.READY, "time")
    assert "Looking into the zip took too long" in words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    assert children() == []
    monkeypatch.undo()
    work()
    desk.assert_true_to_align(other)


def read(desk: Desk, order_id: str) -> None:
    try:
        read_revision(desk.lab.pk, desk.revision(order_id).pk)
    finally:
        connections.close_all()
