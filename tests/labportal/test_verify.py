"""verify: a flipped bit and a lost file are found, and put right only when asked to; real files, real PostgreSQL."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from connector.orders import store
from connector.orders.history import announce, in_words
from connector.orders.models import Event, Order, Revision, RevisionState, TimelineEvent
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.intake.desk import OpenDesk, point_scans_at, sha256
from tests.intake.fixtures import anna, open_desk, stock  # noqa: F401 - fixtures
from tests.orders.make import make_order, make_pairing
from tests.orders.stored import put_in_store, zip_bytes


@pytest.fixture
def scans(tmp_path: Path, settings: Any) -> Path:
    point_scans_at(settings, tmp_path / "scans")
    return tmp_path / "scans"


@pytest.fixture
def keep(committed: None, scans: Path, tmp_path: Path) -> Callable[..., Revision]:
    """A case of a lab with the zip of one of its revisions in the store."""

    def stored(lab: Lab, order_id: str, *, revisions: int = 1, number: int = 1) -> Revision:
        order = make_order(lab, make_pairing(lab), order_id, revisions=revisions)
        revision = put_in_store(lab, order, tmp_path, zip_bytes(), number)
        with in_lab(lab.pk):
            announce(revision, "revision.stored")
        return revision

    return stored


def path_of(revision: Revision) -> Path:
    path = store.local_path(revision.archive)
    assert path is not None
    return path


def flip_a_bit(revision: Revision) -> None:
    path = path_of(revision)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def verify(*arguments: str) -> str:
    out = io.StringIO()
    call_command("verify", *arguments, stdout=out)
    return out.getvalue()


def verify_fails() -> str:
    out = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("verify", stdout=out)
    assert failed.value.returncode == 1
    return out.getvalue()


def now(revision: Revision) -> Revision:
    with in_lab(revision.lab_id):
        return Revision.objects.of(revision.lab_id).get(pk=revision.pk)


def test_sound_files_of_all_labs_are_counted(cast: Cast, keep: Callable[..., Revision]) -> None:
    keep(cast.lab_a, "1001")
    keep(cast.lab_b, "2001")
    assert "2 stored revisions of 2 labs checked: 2 good, 0 bad." in verify()


def test_one_flipped_bit_is_found_and_nothing_is_changed(cast: Cast, keep: Callable[..., Revision]) -> None:
    revision = keep(cast.lab_a, "1001")
    keep(cast.lab_b, "2001")
    flip_a_bit(revision)
    damaged = path_of(revision).read_bytes()
    said = verify_fails()
    assert "lab-a: order 1001 revision 1 changed" in said
    assert "2 stored revisions of 2 labs checked: 1 good, 1 bad." in said
    assert now(revision).state == RevisionState.STORED
    assert path_of(revision).read_bytes() == damaged


def test_a_lost_file_is_found(cast: Cast, keep: Callable[..., Revision]) -> None:
    path_of(keep(cast.lab_b, "2001")).unlink()
    assert "lab-b: order 2001 revision 1 missing" in verify_fails()


def test_one_lab_can_be_checked_alone(cast: Cast, keep: Callable[..., Revision]) -> None:
    flip_a_bit(keep(cast.lab_a, "1001"))
    keep(cast.lab_b, "2001")
    assert "1 stored revisions of 1 labs checked: 1 good, 0 bad." in verify("--lab", "lab-b")
    with pytest.raises(CommandError, match="no lab"):
        verify("--lab", "lab-z")


def test_a_damaged_latest_revision_becomes_due_and_its_file_is_kept_aside(
    cast: Cast, keep: Callable[..., Revision]
) -> None:
    revision = keep(cast.lab_a, "1001")
    flip_a_bit(revision)
    damaged = path_of(revision).read_bytes()
    assert "is fetched from Align again" in verify("--repair")
    row = now(revision)
    assert (row.state, row.reason) == (RevisionState.RETRY, "damaged")
    assert row.next_due is not None
    assert not path_of(revision).exists()
    aside = list(path_of(revision).parent.glob("scan.zip.damaged-*"))
    assert [file.read_bytes() for file in aside] == [damaged]
    with in_lab(cast.lab_a.pk):
        line = TimelineEvent.objects.of(cast.lab_a).get(kind="damaged")
    assert "missing or changed on our disk" in in_words(line)


def test_a_damaged_older_revision_is_held_back(cast: Cast, keep: Callable[..., Revision]) -> None:
    revision = keep(cast.lab_a, "1001", revisions=2, number=1)
    flip_a_bit(revision)
    assert "is held back" in verify("--repair")
    row = now(revision)
    assert (row.state, row.reason, row.has_files) == (RevisionState.QUARANTINED, "damaged", False)
    assert list(path_of(revision).parent.glob("scan.zip.damaged-*"))
    with in_lab(cast.lab_a.pk):
        assert Order.objects.of(cast.lab_a).get().problem == "damaged"


def test_an_older_revision_whose_file_comes_from_a_backup_counts_again(
    cast: Cast, keep: Callable[..., Revision]
) -> None:
    revision = keep(cast.lab_a, "1001", revisions=2, number=1)
    flip_a_bit(revision)
    verify("--repair")
    path_of(revision).write_bytes(zip_bytes()[:-1])
    assert "is back" not in verify("--repair")
    path_of(revision).write_bytes(zip_bytes())
    said = verify("--repair")
    assert "lab-a: order 1001 revision 1 is back" in said
    assert "1 good, 0 bad" in said
    assert now(revision).has_files
    with in_lab(cast.lab_a.pk):
        assert Order.objects.of(cast.lab_a).get().problem == ""
        kinds = list(Event.objects.of(cast.lab_a).order_by("seq").values_list("kind", flat=True))
    assert kinds == ["revision.damaged.1", "revision.stored"]


def test_a_damaged_scan_comes_whole_from_align_again(open_desk: OpenDesk) -> None:  # noqa: F811 - the fixture
    desk = open_desk()
    order_id = desk.arrives()
    desk.take_in()
    revision = desk.revision(order_id)
    flip_a_bit(revision)
    verify("--repair")
    desk.sweep()
    again = desk.revision(order_id)
    assert again.state == RevisionState.READY
    assert sha256(desk.zip_of(again).read_bytes()) == desk.align.order(order_id)["revisions"][-1]["sha256_full"]
    assert "1 good, 0 bad" in verify("--lab", desk.lab.slug)
    with in_lab(desk.lab.pk):
        kinds = list(Event.objects.of(desk.lab).order_by("seq").values_list("kind", flat=True))
    assert kinds == ["revision.damaged.1", "revision.stored"]
