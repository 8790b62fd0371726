"""A worker that dies between any two steps of the download protocol loses nothing and doubles nothing."""

import os
from pathlib import Path
from typing import Any

import pytest

from connector.intake import fetch, staging
from connector.intake.fetch import fetch_next
from connector.orders import store
from connector.orders.models import RevisionState, Wants
from tests.align import words_on
from tests.intake.desk import Desk, OpenDesk

# What the dying worker was about to call: everything before it has happened, nothing after it.
POINTS = {
    "before the claim": (fetch, "claim_next"),
    "after the claim": (fetch, "_fetch"),
    "after the last byte, before fsync": (os, "fsync"),
    "after fsync, before the check": (staging, "check_in_child"),
    "after the check, before the transaction": (fetch, "_store"),
    "after the rename, before COMMIT": (fetch, "announce"),
    "after COMMIT": (fetch, "_ring_if_more"),
}


class Killed(BaseException):
    """Nothing of ours catches it, as nothing catches SIGKILL."""


def die_at(desk: Desk, point: str) -> None:
    """One download whose worker dies at this point."""

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    place, name = POINTS[point]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "_ring_if_more", lambda *_: None)
        patch.setattr(place, name, killed)
        with pytest.raises(Killed):
            fetch_next(desk.lab.pk, desk.pairing.pk)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_that_dies_loses_nothing_and_doubles_nothing(open_desk: OpenDesk, scans: Path, point: str) -> None:
    """Align gives the files out only once here, so that a second download would show as a loss."""
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.poll()
    die_at(desk, point)
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
    assert desk.revision(order_id).state == RevisionState.READY
    assert desk.downloads(order_id) == 1
    assert not list(scans.glob("staging/*/*"))


def test_control_without_adopting_leftovers_the_only_copy_would_be_lost(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.poll()
    die_at(desk, "after fsync, before the check")
    monkeypatch.setattr(fetch, "adopt", lambda *_, **__: None)
    assert desk.until_stored(order_id).state == RevisionState.GONE


def test_a_leftover_of_an_unannounced_size_is_taken_when_align_gives_nothing_out_any_more(open_desk: OpenDesk) -> None:
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.poll()
    desk.update_revision(order_id, expected_size=1)
    die_at(desk, "after fsync, before the check")
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_the_pictures_zip_of_a_dead_worker_is_never_taken_for_the_scan(open_desk: OpenDesk) -> None:
    desk = open_desk(mode="thumbnails")
    order_id = desk.arrives()
    desk.poll()
    die_at(desk, "after fsync, before the check")
    desk.update_revision(order_id, wants=Wants.FULL, expected_size=None)
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_a_half_leftover_is_not_taken(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    die_at(desk, "after fsync, before the check")
    (part,) = store.staging(desk.revision(order_id).pk).glob("*.part")
    part.write_bytes(part.read_bytes()[:-100])
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
    assert desk.align.truth()["calls"]["download"] == 2


def test_given_out_once_and_nothing_complete_here_says_so_and_what_to_do(open_desk: OpenDesk) -> None:
    desk = open_desk(second_download="gone", no_range=True)
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.5)
    desk.take_in()
    assert desk.revision(order_id).state == RevisionState.RETRY
    assert desk.until_stored(order_id).state == RevisionState.GONE
    words = words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    assert "Align no longer gives out this scan" in words
    assert "Ask the practice to send the scan again" in words
    assert "Needs attention" in words_on(desk.browser, "/")


def test_a_worker_that_dies_before_reading_the_files_leaves_them_to_the_next(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)
    assert desk.revision(order_id).state == RevisionState.STORED
    desk.until_stored(order_id)
    assert desk.revision(order_id).state == RevisionState.READY
