"""What is inside the zip becomes files, teeth and pictures; and what the fetch modes leave at Align."""

from pathlib import Path
from typing import Any

import pytest

from connector.intake import reading
from connector.intake.fetch import fetch_next
from connector.intake.reading import read_revision
from connector.orders import store
from connector.orders.models import Order, Restoration, RevisionState
from connector.orders.services import ask_for_files
from connector.pairing.models import FetchMode
from connector.scans.examination import ExaminationFailed, examine
from labportal.labs.tenancy import in_lab
from tests.align import words_on
from tests.cast import Cast
from tests.intake.desk import Desk, OpenDesk, at_once, sha256, work


def test_files_have_roles_measures_and_previews(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    files = desk.files(order_id)
    assert {"upper", "lower", "metadata", "thumbnail"} <= set(files)
    for role in ("upper", "lower"):
        assert files[role].triangles
        assert all(10 < side < 150 for side in (files[role].box_mm or [])[:2])
        assert len(files[role].box_mm or []) == 3
        order = desk.order(order_id)
        _, preview = desk.body(f"/cases/{order.pk}/files/{files[role].pk}/preview")
        assert preview.startswith(b"ply\nformat binary_little_endian")
    assert desk.order(order_id).thumbnail


def test_the_metadata_file_fills_what_align_left_out_and_overrides_nothing(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)
    whole = desk.order(order_id)
    with in_lab(desk.lab.pk):
        Restoration.objects.of(desk.lab).filter(order=whole).delete()
        Order.objects.of(desk.lab).filter(pk=whole.pk).update(
            doctor="", due_date=None, chart_number="", teeth=[], summary="", shade="", patient_last="", notes="kept"
        )
    read_revision(desk.lab.pk, desk.revision(order_id).pk)
    order = desk.order(order_id)
    assert order.notes == "kept"
    assert order.doctor
    assert (order.chart_number, order.due_date) == (whole.chart_number, whole.due_date)
    assert (order.teeth, order.patient_last) == (whole.teeth, whole.patient_last)
    assert order.summary
    assert {tooth.tooth for tooth in desk.teeth(order_id)} == set(whole.teeth)
    assert all(tooth.treatment for tooth in desk.teeth(order_id))


def test_files_are_read_once_however_often_it_is_rung(desk: Desk) -> None:
    order_id = desk.arrives()
    desk.take_in()
    for _ in range(2):
        read_revision(desk.lab.pk, desk.revision(order_id).pk)
    assert desk.timeline(order_id).count("ready") == 1


@pytest.mark.parametrize("consume", ["no", "yes"])
def test_pictures_only_leaves_the_scan_at_align_until_somebody_asks(
    open_desk: OpenDesk, cast: Cast, consume: str
) -> None:
    desk = open_desk(mode=FetchMode.THUMBNAILS, thumbnails_consume=consume)
    order_id = desk.arrives()
    desk.take_in()
    assert desk.revision(order_id).state == RevisionState.ASKED_LATER
    truth = desk.align.order(order_id)
    assert (truth["downloads"], truth["thumbnail_downloads"], truth["listed"]) == (0, 1, consume == "no")
    order = desk.order(order_id)
    kind, picture = desk.body(f"/cases/{order.pk}/thumbnail")
    assert [shown["url"] for shown in desk.browser.get(f"/cases/{order.pk}").context["thumbnails"]] == [
        f"/cases/{order.pk}/thumbnail"
    ]
    assert (kind, picture[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert "Get all scan files" in words_on(desk.browser, f"/cases/{order.pk}")
    desk.take_in()
    assert desk.align.order(order_id)["thumbnail_downloads"] == 1
    with in_lab(desk.lab.pk):
        assert ask_for_files(order=order, user=cast.theo)
    work()
    desk.assert_true_to_align(order_id)
    assert desk.revision(order_id).state == RevisionState.READY


def test_on_click_fetches_nothing_until_somebody_asks(open_desk: OpenDesk) -> None:
    desk = open_desk(mode=FetchMode.ON_CLICK)
    order_id = desk.arrives()
    desk.take_in()
    desk.sweep()
    truth = desk.align.order(order_id)
    assert (truth["downloads"], truth["thumbnail_downloads"], truth["listed"]) == (0, 0, True)
    order = desk.order(order_id)
    assert desk.browser.post(f"/cases/{order.pk}/get-all").status_code == 302
    work()
    desk.assert_true_to_align(order_id)


def test_two_workers_at_once_read_the_files_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = desk.arrives()
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)
    begun: list[object] = []

    def counted(*args: Any) -> Any:
        begun.append(args)
        return examine(*args)

    monkeypatch.setattr(reading, "examine", counted)
    revision = desk.revision(order_id)
    at_once(*[lambda: reading.read_revision(desk.lab.pk, revision.pk)] * 3)
    assert len(begun) == 1
    assert desk.revision(order_id).state == RevisionState.READY


def test_a_reading_that_was_killed_leaves_nothing_behind_once_it_is_repeated(desk: Desk, scans: Path) -> None:
    order_id = desk.arrives()
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)
    (store.staging(desk.revision(order_id).pk) / "of the killed one").mkdir()
    desk.until_stored(order_id)
    read_revision(desk.lab.pk, desk.revision(order_id).pk)
    assert desk.revision(order_id).state == RevisionState.READY
    assert list(scans.glob("staging/*")) == []


def test_a_child_that_dies_while_reading_leaves_the_zip_to_be_downloaded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = desk.arrives()
    desk.poll()
    fetch_next(desk.lab.pk, desk.pairing.pk)

    def killed(*_: object) -> None:
        raise ExaminationFailed("killed")

    monkeypatch.setattr(reading, "examine", killed)
    read_revision(desk.lab.pk, desk.revision(order_id).pk)
    order = desk.order(order_id)
    assert desk.revision(order_id).state == RevisionState.READY
    assert "Looking into the zip was stopped by the system" in words_on(desk.browser, f"/cases/{order.pk}")
    kind, content = desk.body(f"/cases/{order.pk}/revisions/1/zip")
    assert (kind, sha256(content)) == ("application/zip", desk.revision(order_id).sha256)
