"""How a case goes on at Align, status by status, as the lab sees it: by notifications alone, and by the list alone.

Which appearances are a revision: those whose files changed, those that Align lists as new, and the first that has files
at all. A mere change of status is kept and shown. Older zips are never touched.
"""

import pytest

from connector.returns.services import request_return
from labportal.labs.tenancy import in_lab
from tests.align import words_on
from tests.cast import Cast
from tests.intake.desk import READY, Desk, OpenDesk, work
from tests.intake.flows import (
    EACH_WAY,
    LIST,
    PHYSICAL,
    PUSH,
    STEP,
    Way,
    assert_only,
    assert_untouched,
    by_list,
    by_push,
    changed,
    compared,
    first_scan,
    goes_on,
    modeled,
    seen,
    shown,
    timeline,
    told_by_bytes,
    zips,
)


@pytest.fixture
def slow(open_desk: OpenDesk) -> Desk:
    """What Align and the doctor do takes a minute by Align's clock, which the test moves on."""
    return open_desk(modeling_after=STEP, rescan_after=STEP)


@EACH_WAY
def test_a_first_scan_is_one_revision_however_often_it_is_told_of(slow: Desk, way: Way) -> None:
    order_id = first_scan(slow, way)
    before = zips(slow, order_id)
    for _ in range(2):
        way.learn(slow, order_id)
    assert seen(slow, order_id) == [(1, "first", READY)]
    assert_untouched(before, slow, order_id)
    assert changed(slow, order_id) == [[]]
    assert slow.downloads(order_id) == 1
    assert_only(slow, way)


@EACH_WAY
def test_modeling_brings_a_new_revision_and_says_what_changed(slow: Desk, way: Way) -> None:
    order_id = first_scan(slow, way)
    before = zips(slow, order_id)
    slow.align.tell(f"orders/{order_id}/model")
    way.learn(slow, order_id)  # Align is at work: there is nothing to fetch, and it is not on the list
    assert len(slow.revisions(order_id)) == 1
    assert slow.order(order_id).vendor_status == ("iTero Modeling" if way is PUSH else READY)
    goes_on(slow, order_id, "Lab Review", 2)
    way.learn(slow, order_id)
    assert seen(slow, order_id) == [(1, "first", READY), (2, "modeling", "Lab Review")]
    assert_untouched(before, slow, order_id)
    _, news = changed(slow, order_id)
    assert {f"Status: {READY} → Lab Review", "Upper jaw: changed", *told_by_bytes(slow, order_id)} <= set(news)
    assert_only(slow, way)


@pytest.mark.parametrize("returned_at", ["here", "Align's portal"])
@EACH_WAY
def test_a_re_scan_after_a_return_is_a_new_revision_and_nobody_waits_any_more(
    slow: Desk, way: Way, returned_at: str, cast: Cast
) -> None:
    order_id = first_scan(slow, way)
    before = zips(slow, order_id)
    if returned_at == "here":
        with in_lab(slow.lab.pk):
            request_return(order=slow.order(order_id), by=cast.theo, reason="bite", comment="")
        work()
        assert slow.order(order_id).waiting_since is not None
    else:
        slow.align.tell(f"orders/{order_id}/return", {"reason": "bite", "comment": ""})
    slow.align.wait_for_order(order_id, status="Scanning")
    way.learn(slow, order_id)
    assert len(slow.revisions(order_id)) == 1
    if way is PUSH:
        assert slow.order(order_id).vendor_status == "Scanning"
    goes_on(slow, order_id, READY, 2)
    way.learn(slow, order_id)
    assert seen(slow, order_id) == [(1, "first", READY), (2, "rescan", READY)]
    assert slow.order(order_id).waiting_since is None
    assert_untouched(before, slow, order_id)
    _, news = changed(slow, order_id)
    assert {"Upper jaw: changed", *told_by_bytes(slow, order_id)} <= set(news)
    assert not any(line.startswith("Status") for line in news)
    assert_only(slow, way)


@EACH_WAY
def test_a_physical_model_goes_from_review_to_downloaded_and_makes_no_further_revision(slow: Desk, way: Way) -> None:
    order_id = modeled(slow, way)
    before, downloads = zips(slow, order_id), slow.downloads(order_id)
    slow.align.tell(f"orders/{order_id}/mill")  # the lab approved the model
    for place, status in enumerate(PHYSICAL):
        if place:
            goes_on(slow, order_id, status, 2)
        way.learn(slow, order_id)
        # None of the three is on Align's list; without a push the daily comparison brings it.
        if way is LIST:
            assert slow.runs()[0].listed == 0
            assert slow.order(order_id).vendor_status != status
            compared(slow)
        assert slow.order(order_id).vendor_status == status
        assert f"At Align: {status}" in shown(slow, order_id)
        assert len(slow.revisions(order_id)) == 2
    told = [line for line in reversed(timeline(slow, order_id)) if "status is now" in line]
    assert told[-3:] == [f"Align's status is now “{status}”" for status in PHYSICAL]
    assert seen(slow, order_id) == [(1, "first", READY), (2, "modeling", "Lab Review")]
    assert_untouched(before, slow, order_id)
    assert slow.downloads(order_id) == downloads
    assert slow.order(order_id).problem == ""


@EACH_WAY
def test_interpretation_2_from_milling_back_to_review_brings_new_files(slow: Desk, way: Way) -> None:
    order_id = first_scan(slow, way)
    before = zips(slow, order_id)
    slow.align.tell(f"orders/{order_id}/mill")
    way.learn(slow, order_id)
    assert slow.order(order_id).vendor_status == ("iTero Milling" if way is PUSH else READY)
    slow.align.tell(f"orders/{order_id}/interpret-again")
    goes_on(slow, order_id, "Lab Review", 2)
    way.learn(slow, order_id)
    assert seen(slow, order_id) == [(1, "first", READY), (2, "modeling", "Lab Review")]
    assert_untouched(before, slow, order_id)
    _, news = changed(slow, order_id)
    assert {f"Status: {READY} → Lab Review", "Upper jaw: changed"} <= set(news)
    before = zips(slow, order_id)
    slow.align.tell(f"orders/{order_id}/mill")
    by_push(slow, order_id)
    assert slow.order(order_id).vendor_status == "iTero Milling"
    assert len(slow.revisions(order_id)) == 2
    assert_untouched(before, slow, order_id)


def test_interpretation_2_straight_to_milling_makes_no_revision(slow: Desk) -> None:
    order_id = first_scan(slow, PUSH)
    before = zips(slow, order_id)
    slow.align.tell(f"orders/{order_id}/mill")
    by_push(slow, order_id)
    for status in PHYSICAL[1:]:
        goes_on(slow, order_id, status, 1)
        by_push(slow, order_id)
        assert slow.order(order_id).vendor_status == status
    assert seen(slow, order_id) == [(1, "first", READY)]
    assert_untouched(before, slow, order_id)
    assert slow.downloads(order_id) == 1


def test_a_case_that_is_first_told_of_in_milling_is_fetched_and_the_list_does_not_have_it(slow: Desk) -> None:
    order_id = slow.in_stock["normal"].pop()
    slow.align.tell(f"orders/{order_id}/status", {"status": "iTero Milling"})
    by_list(slow, order_id)
    assert slow.orders() == []
    by_push(slow, order_id)
    assert seen(slow, order_id) == [(1, "first", "iTero Milling")]


@pytest.mark.parametrize("status", ["Scanning", "iTero Modeling", "Completed", "Downloaded"])
def test_a_case_that_is_first_told_of_without_files_is_kept_and_has_no_revision(slow: Desk, status: str) -> None:
    order_id = slow.in_stock["normal"].pop()
    slow.align.tell(f"orders/{order_id}/status", {"status": status})
    by_push(slow, order_id)
    assert slow.order(order_id).vendor_status == status
    assert slow.revisions(order_id) == []
    assert f"At Align: {status}" in shown(slow, order_id)


def test_an_unknown_status_is_kept_and_shown_and_makes_no_revision_of_the_same_files(slow: Desk) -> None:
    order_id = first_scan(slow, PUSH)
    before = zips(slow, order_id)
    slow.align.tell(f"orders/{order_id}/status", {"status": "Waiting for the Moon"})
    by_push(slow, order_id)
    assert slow.order(order_id).vendor_status == "Waiting for the Moon"
    assert "At Align: Waiting for the Moon" in shown(slow, order_id)
    assert "Waiting for the Moon" in words_on(slow.browser, "/")
    assert seen(slow, order_id) == [(1, "first", READY)]
    assert_untouched(before, slow, order_id)


@EACH_WAY
def test_a_case_that_comes_in_a_status_nobody_knows_is_fetched(slow: Desk, way: Way) -> None:
    order_id = slow.in_stock["normal"].pop()
    slow.align.tell(f"orders/{order_id}/status", {"status": "Waiting for the Moon", "listed": True})
    way.learn(slow, order_id)
    assert seen(slow, order_id) == [(1, "first", "Waiting for the Moon")]
    assert "At Align: Waiting for the Moon" in shown(slow, order_id)
    assert_only(slow, way)


def test_a_case_that_align_lists_anew_in_an_unknown_status_is_a_revision(slow: Desk) -> None:
    """The list has new scans only, so it may be a re-scan of the very same size."""
    order_id = first_scan(slow, LIST)
    before = zips(slow, order_id)
    slow.align.tell(f"orders/{order_id}/status", {"status": "Waiting for the Moon", "listed": True})
    by_list(slow, order_id)
    rows = slow.revisions(order_id)
    assert [(row.number, row.cause, row.vendor_status) for row in rows] == [
        (1, "first", READY), (2, "update", "Waiting for the Moon"),
    ]  # fmt: skip
    assert_untouched(before, slow, order_id)
    _, news = changed(slow, order_id)
    assert news[0] == f"Status: {READY} → Waiting for the Moon"
    assert {"Upper jaw: identical", "Lower jaw: identical"} <= set(news)
    assert {line.rpartition(": ")[2] for line in news[1:]} == {"identical"}
