"""What comes over the line, what is kept of it, and what the lab reads when it is not what it should be."""

import hashlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from connector.intake import fetch, leases, outcome
from connector.intake.fetch import fetch_next
from connector.intake.leases import LeaseLost, claim_next
from connector.intake.staging import Staged
from connector.itero.errors import Conflict, InvalidClient, IteroError, VendorUnavailable
from connector.orders import store
from connector.orders.models import RevisionState
from connector.orders.services import try_again
from labportal.labs.tenancy import in_lab
from tests.align import change, words_on
from tests.intake.desk import Desk, OpenDesk, at_once, sha256, work

LINE: dict[str, dict[str, Any]] = {
    "ends early": {"truncate_at": 0.6},
    "wrong length": {"wrong_length": True},
    "reset": {"reset_at": 0.6},
    "html": {"html": True},
    "garbage": {"garbage": True},
    "server error": {"status": 500},
}
REFUSED = {"truncated", "encrypted", "traversal", "bomb", "duplicate_names", "symlink"}
READABLE = {"broken_mesh", "no_metadata"}


def test_a_stored_zip_has_one_event_and_a_timeline(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    desk.assert_true_to_align(order_id)
    assert desk.timeline(order_id) == ["seen", "fetching", "stored", "ready"]
    assert desk.order(order_id).waiting_since is None


@pytest.mark.parametrize("fault", LINE)
def test_a_download_that_goes_wrong_says_why_and_succeeds_the_next_time(desk: Desk, fault: str) -> None:
    order_id = desk.arrives()
    desk.align.fault(call="download", **LINE[fault])
    desk.take_in()
    revision = desk.revision(order_id)
    assert revision.state == RevisionState.RETRY
    assert revision.reason
    assert revision.next_due is not None
    assert revision.next_due > timezone.now()
    page = words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    assert "This scan is not here yet" in page
    assert f"code {revision.reason}" not in page
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
    assert desk.revision(order_id).reason == ""


@pytest.mark.parametrize("kind", sorted(REFUSED))
def test_an_unsafe_zip_is_held_back_in_words_and_kept_while_others_flow(open_desk: OpenDesk, kind: str) -> None:
    desk = open_desk(kind)
    bad, good = desk.arrives(kind), desk.arrives()
    desk.poll()
    desk.update_revision(bad, own_failures=outcome.ARCHIVE_TRIES - 1)
    work()
    revision = desk.revision(bad)
    assert revision.state == RevisionState.QUARANTINED
    (kept,) = store.staging(revision.pk).iterdir()
    assert sha256(kept.read_bytes()) == desk.align.order(bad)["revisions"][0]["sha256_full"]
    page = words_on(desk.browser, f"/cases/{desk.order(bad).pk}")
    assert "was held back" in page
    assert f"code {revision.reason}" not in page
    desk.assert_true_to_align(good)
    assert [event.revision_id for event in desk.events()] == [desk.revision(good).pk]


def test_an_unsafe_zip_is_fetched_three_times_before_it_is_held_back(open_desk: OpenDesk) -> None:
    """The line may have garbled it."""
    desk = open_desk("bomb")
    order_id = desk.arrives("bomb")
    desk.poll()
    states = []
    for _ in range(outcome.ARCHIVE_TRIES):
        desk.ripen()
        fetch_next(desk.lab.pk, desk.pairing.pk)
        states.append(desk.revision(order_id).state)
    assert states == [RevisionState.RETRY, RevisionState.RETRY, RevisionState.QUARANTINED]
    assert len(list(store.staging(desk.revision(order_id).pk).iterdir())) == 1


@pytest.mark.parametrize("kind", sorted(READABLE))
def test_a_zip_with_parts_that_cannot_be_read_is_ready_and_says_what(open_desk: OpenDesk, kind: str) -> None:
    desk = open_desk(kind)
    order_id = desk.arrives(kind)
    desk.take_in()
    desk.assert_true_to_align(order_id)
    assert desk.revision(order_id).state == RevisionState.READY
    page = words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    words = {"broken_mesh": "The scan file", "no_metadata": "The zip holds no iTero metadata"}
    assert words[kind] in page


def test_a_disk_that_is_nearly_full_lets_no_consuming_call_go_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = desk.arrives()
    monkeypatch.setattr(store, "FREE_FLOOR", 1 << 60)
    desk.take_in()
    assert desk.downloads(order_id) == 0
    assert (desk.revision(order_id).state, desk.revision(order_id).reason) == (RevisionState.RETRY, "disk_low")
    assert "disk is nearly full" in words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    monkeypatch.undo()
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_a_case_too_large_for_the_disk_does_not_keep_the_small_ones_waiting(desk: Desk) -> None:
    large, small = desk.arrives(), desk.arrives()
    desk.poll()
    desk.update_revision(large, expected_size=1 << 50)
    fetch_next(desk.lab.pk, desk.pairing.pk)
    assert desk.revision(small).state == RevisionState.STORED
    assert (desk.revision(large).state, desk.revision(large).reason) == (RevisionState.RETRY, "disk_low")
    assert desk.downloads(large) == 0


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """As on a full disk: a write beyond `size` bytes fails, and the one across the border takes only a part."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_in_the_middle_leaves_no_half_zip(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    with files_of_at_most(50_000):
        fetch_next(desk.lab.pk, desk.pairing.pk)
    assert (desk.revision(order_id).state, desk.revision(order_id).reason) == (RevisionState.RETRY, "disk")
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_a_claimed_revision_cannot_be_claimed_again_until_its_lease_ends(desk: Desk) -> None:
    desk.arrives()
    desk.poll()
    ids = desk.lab.pk, desk.pairing.pk
    first = claim_next(*ids)
    assert first is not None
    assert claim_next(*ids) is None
    desk.ripen()
    second = claim_next(*ids)
    assert second is not None
    assert (second.pk, second.attempts) == (first.pk, 2)
    assert second.lease_token != first.lease_token
    with pytest.raises(LeaseLost):
        leases.renew(first)


def test_a_late_writer_cannot_replace_the_newer_file(desk: Desk, tmp_path: Path) -> None:
    """It slept through its lease with a complete zip in hand, while another worker fetched and stored the case."""
    order_id = desk.arrives()
    desk.poll()
    late = claim_next(desk.lab.pk, desk.pairing.pk)
    assert late is not None
    desk.until_stored(order_id)
    other = tmp_path / "late.part"
    other.write_bytes(b"what the late one holds")
    with pytest.raises(LeaseLost):
        fetch._store(late, Staged(other, "0" * 64, 23))
    assert other.exists()
    desk.assert_true_to_align(order_id)


def test_one_pairing_never_has_more_downloads_running_than_its_share(desk: Desk) -> None:
    for _ in range(5):
        desk.arrives()
    desk.poll()
    at_once(*[lambda: claim_next(desk.lab.pk, desk.pairing.pk)] * 5)
    states = [desk.revision(order.order_id).state for order in desk.orders()]
    assert states.count(RevisionState.FETCHING) == leases.AT_ONCE


def test_the_outgoing_sequence_has_no_gap_under_eight_threads(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "AT_ONCE", 8)
    for _ in range(5):
        desk.arrives()
    desk.poll()
    at_once(*[lambda: fetch_next(desk.lab.pk, desk.pairing.pk)] * 8)
    work()
    assert [event.seq for event in desk.events()] == [1, 2, 3, 4, 5]
    assert len({event.revision_id for event in desk.events()}) == 5
    for order in desk.orders():
        desk.assert_true_to_align(order.order_id)


def test_align_asking_to_slow_down_pauses_the_pairing_and_not_the_order(desk: Desk) -> None:
    first, second = desk.arrives(), desk.arrives()
    desk.align.fault(call="download", status=429, retry_after="120")
    desk.take_in()
    assert desk.revision(first).state == RevisionState.RETRY
    assert desk.revision(second).state == RevisionState.SEEN
    assert desk.downloads(second) == 0
    desk.until_stored(second)
    for order_id in (first, second):
        desk.assert_true_to_align(order_id)


@pytest.mark.parametrize("error", [VendorUnavailable(), InvalidClient(), Conflict()], ids=lambda e: e.code)
def test_trouble_that_is_not_the_orders_never_stops_it(desk: Desk, error: IteroError) -> None:
    order_id = desk.arrives()
    desk.poll()
    desk.update_revision(order_id, attempts=500, own_failures=5 if isinstance(error, Conflict) else 500)
    claimed = claim_next(desk.lab.pk, desk.pairing.pk)
    assert claimed is not None
    outcome.failed(claimed, error)
    assert desk.revision(order_id).state == RevisionState.RETRY


def test_a_forbidden_download_stops_the_pairing_and_keeps_the_order(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.align.fault(call="download", status=403)
    desk.take_in()
    assert desk.pairing_now().state == "forbidden"
    assert desk.revision(order_id).state == RevisionState.RETRY
    desk.poll()  # Align allows it again
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_tokens_that_cannot_be_opened_let_no_download_begin(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    change(desk.pairing, sealed_tokens="lost-key:text")
    assert fetch_next(desk.lab.pk, desk.pairing.pk) is None
    assert desk.revision(order_id).state == RevisionState.SEEN


def test_try_again_fetches_a_case_that_was_held_back(open_desk: OpenDesk, cast: Any) -> None:
    desk = open_desk()
    order_id = desk.arrives()
    desk.align.fault(call="download", status=404, times=0)
    desk.poll()
    desk.until_stored(order_id)
    assert desk.revision(order_id).state == RevisionState.DEAD
    assert desk.order(order_id).problem == "not_found"
    desk.align.clear_faults()
    with in_lab(desk.lab.pk):
        assert try_again(order=desk.order(order_id), user=cast.theo)
    work()
    desk.assert_true_to_align(order_id)
    assert desk.order(order_id).problem == ""


def test_a_stored_zip_is_not_readable_by_others_on_the_machine(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    path = desk.zip_of(desk.revision(order_id))
    assert path.stat().st_mode & 0o077 == 0
    assert hashlib.sha256(path.read_bytes()).hexdigest() == desk.revision(order_id).sha256
