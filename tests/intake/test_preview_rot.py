"""A preview or picture that is no longer what was made is never shown; it is made again from the zip. Nobody asks."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from connector.intake import reading
from connector.orders import derived, store
from connector.orders.models import Order, RevisionState, ScanFile
from connector.scans.examination import ExaminationFailed
from labportal.labs.tenancy import in_lab
from tests.align import words_on
from tests.intake.desk import Desk, OpenDesk, sha256
from tests.orders.stored import rot as rot_zip

LONG_AGO = timedelta(hours=1)
MADE_AGAIN = "A preview or picture of revision 1 was damaged: it is made again"


def comes_in(desk: Desk) -> str:
    """The order id; its files were read an hour ago."""
    order_id = desk.arrives()
    desk.take_in()
    desk.update_revision(order_id, ready_at=timezone.now() - LONG_AGO)
    return order_id


def mesh_of(desk: Desk, order_id: str) -> tuple[str, str]:
    """The address of one preview, and its name in the store."""
    file = next(file for role, file in desk.files(order_id).items() if file.preview and role != "thumbnail")
    return f"/cases/{desk.order(order_id).pk}/files/{file.pk}/preview", file.preview


def gallery_picture_of(desk: Desk, order_id: str) -> tuple[str, str]:
    file = desk.files(order_id)["thumbnail"]
    return f"/cases/{desk.order(order_id).pk}/files/{file.pk}/picture", file.preview


def small_picture_of(desk: Desk, order_id: str) -> tuple[str, str]:
    order = desk.order(order_id)
    return f"/cases/{order.pk}/thumbnail", order.thumbnail


KINDS = [mesh_of, gallery_picture_of, small_picture_of]
Kind = Callable[[Desk, str], tuple[str, str]]


def path_of(name: str) -> Path:
    path = store.local_path(name)
    assert path is not None
    return path


def rot(name: str) -> None:
    """Flip one bit in its middle; its times stay."""
    path = path_of(name)
    content, times = bytearray(path.read_bytes()), path.stat()
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_bit_is_never_shown_and_a_little_later_all_is_well(desk: Desk, kind: Kind) -> None:
    order_id = comes_in(desk)
    url, name = kind(desk, order_id)
    before, ids = path_of(name).read_bytes(), {file.pk for file in desk.files(order_id).values()}
    rot(name)
    answer = desk.browser.get(url)
    assert (answer.status_code, answer.content) == (503, b"")
    desk.sweep()
    assert desk.body(url)[1] == before
    assert {file.pk for file in desk.files(order_id).values()} == ids, "addresses stay what they were"
    assert desk.revision(order_id).state == RevisionState.READY
    assert desk.downloads(order_id) == 1
    assert MADE_AGAIN in words_on(desk.browser, f"/cases/{desk.order(order_id).pk}")


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_is_gone_comes_back(desk: Desk, kind: Kind) -> None:
    order_id = comes_in(desk)
    url, name = kind(desk, order_id)
    before = path_of(name).read_bytes()
    path_of(name).unlink()
    assert desk.browser.get(url).status_code == 404
    desk.sweep()
    assert desk.body(url)[1] == before


@pytest.mark.parametrize("kind", KINDS)
def test_what_nobody_opens_is_found_by_the_sweep(desk: Desk, kind: Kind) -> None:
    order_id = comes_in(desk)
    url, name = kind(desk, order_id)
    before = path_of(name).read_bytes()
    rot(name)
    desk.update_revision(order_id, stored_at=timezone.now() - timedelta(days=8), checked_at=None)
    desk.sweep()
    desk.sweep()
    assert path_of(name).read_bytes() == before
    assert desk.timeline(order_id).count("ready") == 2
    assert desk.body(url)[1] == before


@pytest.mark.parametrize("kind", KINDS)
def test_verify_finds_it_and_puts_it_right_when_asked_to(
    desk: Desk, kind: Kind, capsys: pytest.CaptureFixture[str]
) -> None:
    order_id = comes_in(desk)
    _, name = kind(desk, order_id)
    before = path_of(name).read_bytes()
    call_command("verify")
    assert "1 good, 0 bad" in capsys.readouterr().out
    rot(name)
    with pytest.raises(CommandError, match="makes bad previews anew"):
        call_command("verify")
    assert f"order {order_id} revision 1 preview_changed\n" in capsys.readouterr().out
    call_command("verify", "--repair")
    assert "the zip is sound; previews and pictures are made from it again" in capsys.readouterr().out
    desk.sweep()
    assert path_of(name).read_bytes() == before
    call_command("verify")


def test_a_disk_that_spoils_all_it_is_given_does_not_have_the_zip_read_at_each_look(desk: Desk) -> None:
    order_id = comes_in(desk)
    url, name = mesh_of(desk, order_id)
    rot(name)
    desk.browser.get(url)
    desk.sweep()
    rot(name)
    for _ in range(3):
        assert desk.browser.get(url).status_code == 503
        desk.sweep()
    assert desk.timeline(order_id).count("preview_again") == 1


def test_one_that_its_zip_no_longer_gives_is_given_up_and_not_tried_for_ever(desk: Desk) -> None:
    """Another version of a library makes other bytes of the same picture, which then have another name."""
    order_id = comes_in(desk)
    archive = desk.revision(order_id).archive
    gone = store.derived_name(archive, "sha256-" + "ab" * 32 + ".jpg")
    with in_lab(desk.lab.pk):
        Order.objects.of(desk.lab).filter(order_id=order_id).update(thumbnail=gone, latest_number=2)
    for _ in range(3):
        desk.browser.get(f"/cases/{desk.order(order_id).pk}/thumbnail")
        desk.sweep()
        desk.update_revision(order_id, ready_at=timezone.now() - LONG_AGO)
    assert desk.timeline(order_id).count("preview_again") == 1
    assert desk.browser.get(f"/cases/{desk.order(order_id).pk}/thumbnail").status_code == 200
    call_command("verify")


def test_a_zip_that_could_not_be_read_again_is_given_a_day(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    order_id = comes_in(desk)
    url, name = mesh_of(desk, order_id)
    rot(name)

    def too_long(*_: Any, **__: Any) -> Any:
        raise ExaminationFailed("time")

    monkeypatch.setattr(reading, "examine", too_long)
    for _ in range(3):
        assert desk.browser.get(url).status_code == 503
        desk.sweep()
        desk.update_revision(order_id, ready_at=timezone.now() - LONG_AGO)
    assert (desk.revision(order_id).state, desk.revision(order_id).reason) == (RevisionState.READY, "time")
    assert desk.timeline(order_id).count("preview_again") == 1
    monkeypatch.undo()
    desk.update_revision(order_id, ready_at=timezone.now() - timedelta(days=2))
    desk.browser.get(url)
    desk.sweep()
    assert desk.browser.get(url).status_code == 200
    assert desk.revision(order_id).reason == ""


def test_when_the_zip_has_rotted_too_it_is_fetched_again_and_no_reason_is_invented(desk: Desk) -> None:
    order_id = comes_in(desk)
    url, name = mesh_of(desk, order_id)
    rot(name)
    rot_zip(desk.revision(order_id))
    assert desk.browser.get(url).status_code == 503
    for _ in range(3):
        desk.sweep()
    assert desk.downloads(order_id) == 2
    assert (desk.revision(order_id).state, desk.revision(order_id).reason) == (RevisionState.READY, "")
    assert "unreadable" not in desk.timeline(order_id)
    assert desk.browser.get(mesh_of(desk, order_id)[0]).status_code == 200
    truth = desk.align.order(order_id)["revisions"][-1]["sha256_full"]
    assert sha256(desk.zip_of(desk.revision(order_id)).read_bytes()) == truth == desk.revision(order_id).sha256


def test_one_that_can_not_be_read_just_now_is_no_damage(desk: Desk) -> None:
    """A disk's or bucket's trouble passes; the zip is not read again for it."""
    order_id = comes_in(desk)
    _, name = mesh_of(desk, order_id)
    aside = path_of(name).with_suffix(".aside")
    path_of(name).rename(aside)
    path_of(name).mkdir()  # it opens, and can't be read
    desk.update_revision(order_id, stored_at=timezone.now() - timedelta(days=8), checked_at=None)
    desk.sweep()
    assert desk.revision(order_id).checked_at is not None
    assert "preview_again" not in desk.timeline(order_id)


def test_without_its_zip_nothing_is_begun_that_could_not_end(desk: Desk) -> None:
    """A store that is not mounted looks like that, for all scans at once."""
    order_id = comes_in(desk)
    url, name = mesh_of(desk, order_id)
    for each in (name, desk.revision(order_id).archive):
        path_of(each).unlink()
    assert desk.browser.get(url).status_code == 404
    assert desk.revision(order_id).state == RevisionState.READY


def test_one_of_an_earlier_version_is_shown_as_it_is(desk: Desk) -> None:
    """It was named after the file that it was made from, which proves nothing of it."""
    order_id = comes_in(desk)
    url, name = mesh_of(desk, order_id)
    old = store.derived_name(desk.revision(order_id).archive, "ab" * 32 + ".ply")
    path_of(name).rename(path_of(old))
    with in_lab(desk.lab.pk):
        ScanFile.objects.of(desk.lab).filter(preview=name).update(preview=old)
    assert desk.browser.get(url).status_code == 200


def test_two_equal_files_of_a_zip_share_one(desk: Desk, tmp_path: Path) -> None:
    archive = desk.zip_of(desk.revision(comes_in(desk))).relative_to(path_of("")).as_posix()
    one, other = tmp_path / "one.ply", tmp_path / "other.ply"
    one.write_bytes(b"ply")
    other.write_bytes(b"ply")
    assert derived.keep(archive, one) == derived.keep(archive, one) == derived.keep(archive, other)
    assert derived.proved(derived.keep(archive, one)) == b"ply"


def test_a_picture_without_a_scan_is_not_shown_when_it_is_damaged(open_desk: OpenDesk) -> None:
    desk = open_desk()
    with in_lab(desk.lab.pk):
        type(desk.pairing).objects.of(desk.lab).update(fetch_mode="thumbnails")
    order_id = desk.arrives()
    desk.take_in()
    url, name = small_picture_of(desk, order_id)
    assert desk.body(url)[0] == "image/jpeg"
    rot(name)
    assert desk.browser.get(url).status_code == 503
    assert desk.revision(order_id).state == RevisionState.ASKED_LATER
    with in_lab(desk.lab.pk):
        assert Order.objects.of(desk.lab).get(order_id=order_id).thumbnail == name
