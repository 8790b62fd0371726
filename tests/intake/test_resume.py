"""A download that broke goes on where it ended, so that a vendor who gives a zip only once still gives all of it."""

import pytest

from connector.intake import resume
from connector.orders import store
from connector.orders.models import RevisionState
from tests.intake.desk import Desk, OpenDesk


@pytest.mark.parametrize("at", [0.25, 0.5, 0.99])
def test_a_zip_that_is_given_once_and_broke_is_stored_whole(open_desk: OpenDesk, at: float) -> None:
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=at)
    desk.take_in()
    assert desk.revision(order_id).state == RevisionState.RETRY
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
    assert not store.staging(desk.revision(order_id).pk).is_dir() or not list(
        store.staging(desk.revision(order_id).pk).iterdir()
    )


def test_without_resuming_the_same_case_is_lost(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with the safeguard off, this harness does report the loss."""
    monkeypatch.setattr(resume, "remember", lambda part, etag: None)
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.5)
    desk.take_in()
    assert desk.until_stored(order_id).state == RevisionState.GONE


def test_it_breaks_again_and_again_and_leaves_one_part(open_desk: OpenDesk) -> None:
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.3, times=3)
    desk.take_in()
    for _ in range(2):
        desk.ripen()
        desk.sweep()
    parts = list(store.staging(desk.revision(order_id).pk).glob("*.part"))
    assert len(parts) == 1
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


@pytest.mark.parametrize("times", [1, 2])
def test_a_token_that_ends_between_two_parts_does_not_begin_the_download_anew(open_desk: OpenDesk, times: int) -> None:
    """The repeat after the refresh is the same attempt: what it had is still there."""
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.5, times=times)
    desk.take_in()
    for _ in range(times - 1):
        desk.ripen()
        desk.sweep()
    desk.align.fault(call="download", status=401)
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
    assert desk.downloads(order_id) == 1


def test_a_server_that_began_anew_is_followed(open_desk: OpenDesk) -> None:
    desk = open_desk(no_range=True)
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.5)
    desk.take_in()
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)


def test_bytes_that_make_no_good_zip_are_not_gone_on_with(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.5)
    desk.take_in()
    (part,) = store.staging(desk.revision(order_id).pk).glob("*.part")
    spoiled = bytearray(part.read_bytes())
    spoiled[len(spoiled) // 2] ^= 0xFF
    part.write_bytes(spoiled)
    desk.until_stored(order_id)
    desk.assert_true_to_align(order_id)
