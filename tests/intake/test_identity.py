"""One order stays one order, however often and from wherever it is seen; each new appearance is a revision of it."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connector.intake import fetch, leases
from connector.intake.fetch import fetch_next
from connector.intake.look_up import look_up
from connector.intake.poll import poll
from connector.intake.record import UnstorableOrder, record_order
from connector.intake.version import version_key
from connector.itero import Asset, OrderAsset, Treatment
from connector.itero import Order as VendorOrder
from connector.orders import store
from connector.pairing.access import access_for
from tests.align import change, words_on
from tests.intake.desk import Desk, OpenDesk, at_once, sha256, work

SEEN = VendorOrder("900", "rx-900", "Ready for Download", assets=(OrderAsset(Asset.FULL, "full", 10),))


def as_align_shows(desk: Desk, order_id: str) -> VendorOrder:
    access = access_for(desk.lab.pk, desk.pairing.pk)
    rx_id = desk.rx_id(order_id)
    return access.client.get_order_by_rx_id(access.endpoints, access_token=access.access_token, rx_id=rx_id)


def test_a_poll_and_twenty_notifications_at_once_make_one_order_and_one_revision(desk: Desk) -> None:
    order_id = desk.arrives()
    secret = desk.secret
    url, body = reverse("notify", args=[secret]), {"rxId": desk.rx_id(order_id)}

    def push_and_look_up() -> None:
        assert Client().post(url, body, content_type="application/json").status_code == 202
        look_up(desk.lab.pk, desk.pairing.pk)

    change(desk.pairing, next_due=timezone.now())
    at_once(lambda: poll(desk.lab.pk, desk.pairing.pk), *[push_and_look_up] * 20)
    desk.take_in()
    assert [order.order_id for order in desk.orders()] == [order_id]
    assert len(desk.revisions(order_id)) == 1
    assert desk.timeline(order_id).count("seen") == 1
    assert desk.downloads(order_id) == 1
    desk.assert_true_to_align(order_id)


@pytest.mark.parametrize("leased", [True, False], ids=["as it is", "control: claims without a lease"])
def test_four_workers_at_once_download_an_order_once(desk: Desk, monkeypatch: pytest.MonkeyPatch, leased: bool) -> None:
    order_id = desk.arrives()
    desk.poll()
    if not leased:
        monkeypatch.setattr(fetch, "claim_next", lambda *_: desk.revision(order_id))
    at_once(*[lambda: fetch_next(desk.lab.pk, desk.pairing.pk)] * 4)
    assert (desk.downloads(order_id) == 1) is leased


def test_two_looks_at_the_same_appearance_give_the_same_key_and_another_status_another() -> None:
    same = VendorOrder("900", "rx-900", "Ready for Download", notes="new", assets=SEEN.assets)
    review = VendorOrder("900", "rx-900", "Lab Review", assets=SEEN.assets)
    larger = VendorOrder("900", "rx-900", "Ready for Download", assets=(OrderAsset(Asset.FULL, "full", 11),))
    later = VendorOrder("900", "rx-900", "Ready for Download", updated="2026-11-24T10:00:00Z", assets=SEEN.assets)
    assert version_key(same) == version_key(SEEN)
    assert len({version_key(order) for order in (SEEN, review, larger, later)}) == 4


def test_a_stale_answer_does_not_undo_a_newer_one(desk: Desk) -> None:
    order_id = desk.arrives()
    stale = as_align_shows(desk, order_id)
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    desk.take_in()
    recorded = record_order(desk.pairing, stale, source="notification")
    assert (recorded.revision, recorded.new) == (None, False)
    assert desk.order(order_id).vendor_status == "Lab Review"
    assert len(desk.revisions(order_id)) == 1


def test_modeling_brings_a_second_revision_and_leaves_the_first_zip_untouched(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    first = desk.zip_of(desk.revision(order_id))
    before = sha256(first.read_bytes()), first.stat().st_mtime_ns
    desk.align.tell(f"orders/{order_id}/model")
    desk.align.wait_for_order(order_id, status="Lab Review", listed=True)
    desk.take_in()
    assert [(r.number, r.cause, r.state) for r in desk.revisions(order_id)] == [
        (1, "first", "ready"),
        (2, "modeling", "ready"),
    ]
    assert (sha256(first.read_bytes()), first.stat().st_mtime_ns) == before
    desk.assert_true_to_align(order_id)
    assert "modeling 2" in words_on(desk.browser, "/").lower()


def test_milling_changes_the_status_but_fetches_nothing_again(open_desk: OpenDesk) -> None:
    """The files stay as they are; Align may even refuse to give them out twice."""
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.take_in()
    for status in ("iTero Milling", "Ready to Ship", "Downloaded"):
        desk.align.tell(f"orders/{order_id}/status", {"status": status, "listed": False})
        assert desk.push(order_id) == 202
        work()
        assert desk.order(order_id).vendor_status == status
    assert len(desk.revisions(order_id)) == 1
    assert desk.downloads(order_id) == 1
    assert desk.order(order_id).problem == ""


def test_a_status_change_alone_does_not_wipe_what_the_metadata_file_filled(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    details = {tooth.tooth: tooth.details for tooth in desk.teeth(order_id)}
    assert any(details.values())
    desk.align.tell(f"orders/{order_id}/status", {"status": "iTero Milling", "listed": False})
    desk.push(order_id)
    work()
    assert desk.order(order_id).vendor_status == "iTero Milling"
    assert {tooth.tooth: tooth.details for tooth in desk.teeth(order_id)} == details


def test_an_appearance_that_was_never_fetched_is_superseded_and_not_downloaded(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    desk.update_revision(order_id, state="retry", reason="timeout")  # an earlier reason gives way
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    desk.take_in()
    assert [(r.state, r.reason) for r in desk.revisions(order_id)] == [("superseded", "superseded"), ("ready", "")]
    assert desk.downloads(order_id) == 1


def test_what_came_of_an_appearance_before_it_was_superseded_does_not_stay_on_the_disk(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.align.fault(call="download", reset_at=0.5)
    desk.take_in()
    begun = store.staging(desk.revision(order_id).pk)
    assert list(begun.iterdir())
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    desk.take_in()
    assert [r.state for r in desk.revisions(order_id)] == ["superseded", "ready"]
    assert not begun.exists()


def test_a_revision_that_a_worker_has_just_claimed_is_not_superseded_under_its_hands(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes may be on their way already: superseded, they would belong to nobody."""
    order_id = desk.arrives()
    desk.poll()
    claimed = leases.claim_next(desk.lab.pk, desk.pairing.pk)
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    desk.poll()
    assert claimed is not None
    assert [r.state for r in desk.revisions(order_id)] == ["fetching", "seen"]


def test_an_older_revision_whose_worker_died_is_not_fetched_with_the_newer_ones_files(open_desk: OpenDesk) -> None:
    desk = open_desk(second_download="gone")
    order_id = desk.arrives()
    desk.poll()
    claimed = leases.claim_next(desk.lab.pk, desk.pairing.pk)  # a worker that is killed before its first byte
    assert claimed is not None
    begun = store.staging(claimed.pk)
    desk.align.tell(f"orders/{order_id}/status", {"status": "Lab Review", "listed": True})
    desk.poll()
    desk.until_stored(order_id)
    assert [(r.state, r.reason) for r in desk.revisions(order_id)] == [("superseded", "superseded"), ("ready", "")]
    assert desk.downloads(order_id) == 1
    assert not begun.exists()


@pytest.mark.parametrize("notes", ["ZZCANARY \x00", "ZZCANARY \ud800"], ids=["NUL", "half a character"])
def test_an_order_that_our_tables_cannot_hold_is_refused_without_quoting_it(desk: Desk, notes: str) -> None:
    unfit = VendorOrder("903", "rx", "Ready for Download", patient_last="ZZCANARY", notes=notes)
    with pytest.raises(UnstorableOrder) as refused:
        record_order(desk.pairing, unfit, source="poll")
    assert "ZZCANARY" not in f"{refused.value} {refused.value.__cause__} {refused.value.__context__}"
    assert desk.orders() == []


def test_a_tooth_number_beyond_any_column_costs_the_tooth_and_not_the_order(desk: Desk) -> None:
    odd = VendorOrder("901", "rx-901", "Ready for Download", treatments=(Treatment(10**9, "Crown"),))
    assert record_order(desk.pairing, odd, source="poll").new
    assert [(tooth.tooth, tooth.treatment) for tooth in desk.teeth("901")] == [(None, "Crown")]


def test_a_status_longer_than_our_column_is_noted_once(desk: Desk) -> None:
    odd = VendorOrder("902", "rx-902", "S" * 500, assets=(OrderAsset(Asset.FULL, "full", 10, ready=False),))
    for _ in range(3):
        record_order(desk.pairing, odd, source="lookup")
    assert desk.timeline("902") == ["status"]
