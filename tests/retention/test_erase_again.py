"""After a restore: what was removed since the backup is removed again, and nothing else."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from connector.orders.models import ErasedWhy, Event, EventHead, Revision
from connector.retention.erasing import erase, erase_bytes
from connector.retention.patient import remove
from labportal.labs.tenancy import in_lab
from tests.intake.desk import Desk
from tests.retention.keeping import CANARY, tombstone


def test_after_a_restore_of_an_older_backup_it_is_removed_again(desk: Desk, taken_in: str, scans: Path) -> None:
    """The row as an older backup has it, the list of removals as it lies outside the database."""
    before = desk.order(taken_in)
    with in_lab(desk.lab.pk):
        hooked = Revision.objects.of(desk.lab).get()
    content = desk.zip_of(hooked).read_bytes()
    remove(lab=desk.lab, ids=[before.pk], by=None)
    with in_lab(desk.lab.pk):
        before.save()
        hooked.save()
        Event.objects.of(desk.lab).filter(kind="order.erased").delete()
        EventHead.objects.of(desk.lab).update(last=1)
    desk.zip_of(hooked).parent.mkdir(parents=True)
    desk.zip_of(hooked).write_bytes(content)
    assert desk.order(taken_in).patient_last == CANARY
    call_command("erase_again", stdout=io.StringIO())
    desk.sweep()
    assert tombstone(desk.lab, taken_in).patient == ""
    assert not desk.zip_of(hooked).exists()


def test_a_newer_scan_that_came_before_the_old_bytes_went_is_not_removed_again(
    desk: Desk, taken_in: str, erasures: Path
) -> None:
    """The store was away for hours: the list of removals names a time at which the newer scan was here already."""
    erase(desk.lab.pk, desk.order(taken_in).pk, why=ErasedWhy.REQUEST, by=None)
    desk.align.tell(f"orders/{taken_in}/model")
    desk.align.wait_for_order(taken_in, status="Lab Review", listed=True)
    desk.take_in()
    with in_lab(desk.lab.pk):
        old = Revision.objects.of(desk.lab).get(number=1)
        Revision.objects.of(desk.lab).filter(pk=old.pk).update(next_due=timezone.now())
    erase_bytes(desk.lab.pk, old.pk)
    assert '"scan": 1' in erasures.read_text()
    call_command("erase_again", stdout=io.StringIO())
    assert tombstone(desk.lab, taken_in).erased_at is None
    assert desk.revision(taken_in).has_files


def test_a_line_of_an_earlier_release_removes_by_its_time(desk: Desk, taken_in: str, erasures: Path) -> None:
    line = {"at": timezone.now().isoformat(), "lab": str(desk.lab.pk), "order": str(desk.order(taken_in).pk)}
    erasures.write_text(json.dumps(line) + "\n")
    call_command("erase_again", stdout=io.StringIO())
    assert tombstone(desk.lab, taken_in).erased_at is not None


def test_a_list_of_removals_that_is_none_is_refused(tmp_path: Path, db: None) -> None:
    (tmp_path / "x").write_text("no list")
    for name in ("x", "missing"):
        with pytest.raises(CommandError, match="can't be read as a list of removals"):
            call_command("erase_again", str(tmp_path / name))
