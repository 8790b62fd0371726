"""A zip whose check kills the child that does it: the worker lives on, other cases too, and the zip is kept."""

from pathlib import Path
from uuid import uuid4

import pytest

from connector.intake.fetch import fetch_next
from connector.intake.leases import claim_next
from connector.intake.outcome import CHECK_TRIES
from connector.intake.staging import adopt
from connector.orders import store
from connector.orders.models import RevisionState, Wants
from connector.scans import archive, checking
from connector.scans.child import Bounds
from tests.align import words_on
from tests.intake.desk import Desk, sha256, work
from tests.scans.children import Children
from tests.scans.heavy import heavy_zip
from tests.scans.zips import Part, build

DEATHS = {
    "crashes": ("check_killed", "stopped by the system"),
    "starves": ("check_out_of_memory", "more memory than a scan should need"),
    "babbles": ("check_bad_answer", "without a usable result"),
    "hangs": ("check_time", "longer than a scan should need"),
}


def die_of(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """Real children that do."""
    monkeypatch.setattr(checking, "CHILD", f"tests.scans.bad_children.{how}")
    monkeypatch.setattr(checking, "bounds_for", lambda _: Bounds(cpu=2, clock=2, memory=checking.MEMORY))


@pytest.mark.parametrize("how", DEATHS)
def test_a_check_that_dies_is_tried_again_on_the_same_bytes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    order_id, children = desk.arrives(), Children()
    desk.poll()
    with monkeypatch.context() as patch:
        die_of(patch, how)
        for tried in (1, 2):
            fetch_next(desk.lab.pk, desk.pairing.pk)
            revision = desk.revision(order_id)
            assert (revision.state, revision.reason) == (RevisionState.RETRY, DEATHS[how][0])
            assert revision.own_failures == tried
            assert children() == []
            desk.ripen()
    assert DEATHS[how][1] in words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
    assert desk.downloads(order_id) == 1


def test_after_some_tries_it_is_held_back_in_words_and_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = desk.arrives()
    desk.poll()
    with monkeypatch.context() as patch:
        die_of(patch, "crashes")
        states = []
        for _ in range(CHECK_TRIES):
            desk.ripen()
            fetch_next(desk.lab.pk, desk.pairing.pk)
            states.append(desk.revision(order_id).state)
    assert states == [RevisionState.RETRY] * (CHECK_TRIES - 1) + [RevisionState.QUARANTINED]
    assert desk.downloads(order_id) == 1
    (kept,) = store.staging(desk.revision(order_id).pk).glob("*.part")
    assert sha256(kept.read_bytes()) == desk.align.order(order_id)["revisions"][0]["sha256_full"]
    for url in (f"/cases/{desk.order(order_id).pk}", "/attention/"):
        words = words_on(desk.browser, url)
        assert "Checking the zip was stopped by the system, so it was not opened" in words
        assert "check_killed" not in words
    assert desk.browser.post(f"/cases/{desk.order(order_id).pk}/try-again").status_code == 302
    work()
    desk.assert_true_to_align(order_id)
    assert desk.downloads(order_id) == 1


def test_a_zip_that_is_too_much_for_its_child_stops_no_other_case(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of CPU is the real one, a second long; the zip is real too, left by a worker that died."""
    heavy, good = desk.arrives(), desk.arrives()
    path = heavy_zip(tmp_path / "heavy.zip", 100)
    desk.poll()
    desk.update_revision(heavy, expected_size=path.stat().st_size)
    (store.staging(desk.revision(heavy).pk) / f"{uuid4()}.{Wants.FULL}.part").symlink_to(path)
    monkeypatch.setattr(checking, "bounds_for", lambda _: Bounds(cpu=1, clock=60, memory=checking.MEMORY))
    work()
    assert (desk.revision(heavy).state, desk.revision(heavy).reason) == (RevisionState.RETRY, "check_time")
    assert desk.downloads(heavy) == 0
    desk.assert_true_to_align(good)
    assert desk.revision(good).state == RevisionState.READY


def test_a_leftover_that_cannot_be_checked_does_not_hide_a_good_one(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = desk.arrives()
    desk.poll()
    revision = claim_next(desk.lab.pk, desk.pairing.pk)
    assert revision is not None
    folder, good = store.staging(revision.pk), build(Part(b"a.stl"))
    (folder / f"0.{Wants.FULL}.part").symlink_to(heavy_zip(tmp_path / "heavy.zip", 100))
    (folder / f"1.{Wants.FULL}.part").write_bytes(good)
    monkeypatch.setattr(checking, "bounds_for", lambda _: Bounds(cpu=1, clock=60, memory=checking.MEMORY))
    staged = adopt(revision, of_any_size=True)
    assert staged is not None
    assert staged.sha256 == sha256(good)
    assert desk.downloads(order_id) == 0


def test_no_worker_parses_a_zip_itself(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(*_: object) -> None:
        raise AssertionError

    for name in ("check_archive", "_structure", "_verified"):
        monkeypatch.setattr(archive, name, parsed)
    order_id = desk.arrives()
    desk.take_in()
    desk.assert_true_to_align(order_id)
    assert desk.revision(order_id).state == RevisionState.READY


def test_a_disk_that_cannot_be_read_during_the_check_counts_against_no_case(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = desk.arrives()
    desk.poll()
    with monkeypatch.context() as patch:
        patch.setattr(checking, "CHILD", "tests.scans.bad_children.unreadable")
        fetch_next(desk.lab.pk, desk.pairing.pk)
    revision = desk.revision(order_id)
    assert (revision.state, revision.reason, revision.own_failures) == (RevisionState.RETRY, "disk", 0)
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
    assert desk.downloads(order_id) == 1
