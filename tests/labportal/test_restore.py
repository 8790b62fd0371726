"""What a restore refuses, and what it leaves then."""

import hashlib
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from connector.orders import store
from connector.orders.models import Revision, RevisionState
from labportal.keeping import safe_mode
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from tests.cast import Cast
from tests.labportal.machine import Machine, keep


def test_a_database_with_people_in_it_is_never_overwritten(cast: Cast, machine: Machine) -> None:
    machine.backup()
    with pytest.raises(CommandError, match="not empty"):
        machine.restore()
    assert User.objects.filter(pk=cast.anna.pk).exists()
    assert not safe_mode.is_on()


def test_an_unfinished_backup_is_refused(machine: Machine) -> None:
    (machine.backup() / "manifest.json").unlink()
    machine.move()
    with pytest.raises(CommandError, match="not finished"):
        machine.restore()


@pytest.mark.parametrize("name", ["database.dump", "scan.zip"])
def test_a_backup_with_one_changed_byte_is_refused(cast: Cast, machine: Machine, name: str) -> None:
    keep(cast.lab_a, machine.folder, "1001")
    path = next(machine.backup().rglob(name))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    machine.move()
    with pytest.raises(CommandError, match=f"{name} is not as it was written"):
        machine.restore()


def test_while_the_portal_runs_on_it_nothing_is_restored(machine: Machine) -> None:
    machine.backup()
    machine.move()
    web = connections["default"].copy()
    web.ensure_connection()
    try:
        with pytest.raises(CommandError, match="in use"):
            machine.restore()
    finally:
        web.close()


def test_a_database_that_only_migrations_have_touched_counts_as_empty(cast: Cast, machine: Machine) -> None:
    keep(cast.lab_a, machine.folder, "1001")
    machine.backup()
    machine.move()
    call_command("migrate", database="owner", verbosity=0)
    assert "1 good, 0 bad" in machine.restore()


def test_a_load_that_breaks_off_leaves_the_database_empty(cast: Cast, machine: Machine) -> None:
    keep(cast.lab_a, machine.folder, "1001")
    folder = machine.backup()
    dump = folder / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-60])  # the table of contents stands in front: the last rows are cut short
    named = json.loads((folder / "manifest.json").read_text())
    content = dump.read_bytes()
    named["files"]["database.dump"] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "manifest.json").write_text(json.dumps(named))
    machine.move()
    with pytest.raises(CommandError, match="nothing was changed"):
        machine.restore()
    with connections["owner"].cursor() as cursor:
        assert connections["owner"].introspection.table_names(cursor) == []


def test_a_lost_zip_is_told_at_the_end_of_the_restore(cast: Cast, machine: Machine) -> None:
    revision = keep(cast.lab_a, machine.folder, "1001")
    path = store.local_path(revision.archive)
    assert path is not None
    path.unlink()
    machine.backup()
    machine.move()
    with pytest.raises(CommandError, match="Nothing was changed"):
        machine.restore()
    assert safe_mode.is_on()
    with in_lab(cast.lab_a.pk):
        assert Revision.objects.of(cast.lab_a).get().state == RevisionState.STORED
