"""A damaged zip that Align still has comes back whole; one that it has no more is told to the lab. Nobody asks."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from connector.orders import soundness
from connector.orders.models import RevisionState
from labportal import faults
from labportal.tick import tick
from tests.align import words_on
from tests.intake.desk import Desk, OpenDesk, sha256, work
from tests.orders.stored import rot


def comes_in_and_rots(desk: Desk) -> str:
    order_id = desk.arrives()
    desk.take_in()
    rot(desk.revision(order_id))
    return order_id


def time_has_come(desk: Desk, order_id: str) -> None:
    desk.update_revision(order_id, stored_at=timezone.now() - timedelta(days=8), checked_at=None)


def address(desk: Desk, order_id: str) -> str:
    return f"/cases/{desk.order(order_id).pk}/revisions/1/zip"


def test_the_sweep_finds_it_and_align_gives_it_again(desk: Desk) -> None:
    order_id = comes_in_and_rots(desk)
    damaged = desk.zip_of(desk.revision(order_id)).read_bytes()
    time_has_come(desk, order_id)
    desk.sweep()
    desk.sweep()
    again = desk.revision(order_id)
    assert again.state == RevisionState.READY
    assert desk.downloads(order_id) == 2
    truth = desk.align.order(order_id)["revisions"][-1]["sha256_full"]
    _, content = desk.body(address(desk, order_id))
    assert sha256(content) == truth == again.sha256
    assert [event.kind for event in desk.events()] == ["revision.damaged.1", "revision.stored"]
    aside = list(desk.zip_of(again).parent.glob("scan.zip.damaged-*"))
    assert [file.read_bytes() for file in aside] == [damaged]


def test_who_opens_it_first_is_told_and_has_it_a_little_later(desk: Desk) -> None:
    order_id = comes_in_and_rots(desk)
    answer = desk.browser.get(address(desk, order_id))
    assert answer.status_code == 503
    assert "damaged" in answer.content.decode()
    desk.sweep()
    assert desk.browser.get(address(desk, order_id)).status_code == 200
    assert desk.downloads(order_id) == 2


def test_one_that_align_has_no_more_is_told_on_the_case_and_needs_attention(open_desk: OpenDesk) -> None:
    desk = open_desk(second_download="gone")
    order_id = comes_in_and_rots(desk)
    time_has_come(desk, order_id)
    desk.sweep()
    desk.sweep()
    assert desk.revision(order_id).state == RevisionState.GONE
    assert "Ask the practice" in words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")
    assert order_id in words_on(desk.browser, reverse("attention"))
    assert desk.browser.get(address(desk, order_id)).status_code == 404


def test_what_is_stored_anew_is_proved_by_its_own_pieces(desk: Desk) -> None:
    """The pieces of the first storing must not stand for the second."""
    order_id = desk.arrives()
    desk.take_in()
    desk.body(address(desk, order_id))
    assert desk.revision(order_id).pieces
    rot(desk.revision(order_id))
    desk.browser.get(address(desk, order_id))
    desk.sweep()
    again = desk.revision(order_id)
    assert (again.has_files, bytes(again.pieces), again.checked_at) == (True, b"", None)


def test_the_flip_of_these_tests_leaves_the_times_as_they_were(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    path = desk.zip_of(desk.revision(order_id))
    before, content = path.stat(), path.read_bytes()
    rot(desk.revision(order_id))
    after = path.stat()
    assert (before.st_mtime_ns, before.st_size, before.st_ino) == (after.st_mtime_ns, after.st_size, after.st_ino)
    assert sum(a != b for a, b in zip(content, path.read_bytes(), strict=True)) == 1


def test_a_repair_that_died_half_way_is_gone_on_with(desk: Desk) -> None:
    """The zip is aside, the row counts it as stored: the next look fetches it, where a store that is not mounted, which
    shows no zip either, changes nothing."""
    order_id = comes_in_and_rots(desk)
    time_has_come(desk, order_id)
    faults.arm("repair.after_aside:raise")
    tick()
    work(forgiving=True)
    faults.disarm()
    zip_path = desk.zip_of(desk.revision(order_id))
    assert (desk.revision(order_id).has_files, zip_path.exists()) == (True, False)
    assert desk.browser.get(address(desk, order_id)).status_code == 503
    desk.sweep()
    truth = desk.align.order(order_id)["revisions"][-1]["sha256_full"]
    assert sha256(desk.zip_of(desk.revision(order_id)).read_bytes()) == truth == desk.revision(order_id).sha256
    assert desk.downloads(order_id) == 2


def test_hashing_may_take_longer_than_the_database_waits_for_a_question(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = desk.arrives()
    desk.take_in()
    file = desk.files(order_id)["upper"]
    slow = soundness._piece

    def slowly(*given: Any) -> bytes:
        time.sleep(1.5)
        return slow(*given)

    monkeypatch.setattr(soundness, "_piece", slowly)
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '1s'")
    try:
        for _ in range(2):  # all of it, then piece by piece
            assert desk.browser.get(address(desk, order_id)).status_code == 200
        assert desk.revision(order_id).pieces
        assert desk.browser.get(f"/cases/{desk.order(order_id).pk}/files/{file.pk}").status_code == 200
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET idle_in_transaction_session_timeout")
