"""backup and restore, the whole way: two labs with real zips, into a database that never saw them, and safe mode."""

import hashlib
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.utils import timezone

from connector.intake.poll import poll
from connector.orders import store
from connector.orders.models import Order, Revision, RevisionState
from connector.pairing.access import PairingStopped, access_for, refresh
from connector.pairing.disconnect import finish_unpair
from connector.pairing.models import Pairing, State
from labportal.audit import anchors
from labportal.audit.models import INSTALLATION, Entry
from labportal.audit.verify import verify_all
from labportal.embedded_postgres import start
from labportal.env import BASE_DIR, read_instance
from labportal.keeping import safe_mode
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab
from tests import spare_database
from tests.align import again, calls_in_order, change, pair_lab, words_on
from tests.cast import Cast
from tests.database import NAME
from tests.intake.desk import point_scans_at
from tests.orders.make import make_order, make_pairing
from tests.orders.stored import put_in_store, zip_bytes
from tests.simulator.launch import Simulator

RESTORED = "test_restored"


@dataclass
class Machine:
    """The portal as it was, and the one that it is restored to."""

    folder: Path
    settings: Any

    def move(self) -> None:
        """To another machine: a fresh database, an empty disk."""
        spare_database.create(RESTORED)
        spare_database.point_at(RESTORED)
        point_scans_at(self.settings, self.folder / "new-disk")

    def backup(self, *options: str) -> Path:
        target = self.folder / "backup"
        call_command("backup", str(target), *options, stdout=io.StringIO())
        return target

    def restore(self) -> str:
        out = io.StringIO()
        call_command("restore", str(self.folder / "backup"), stdout=out)
        return out.getvalue()


@pytest.fixture
def machine(committed: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    point_scans_at(settings, tmp_path / "disk")
    settings.AUDIT_ANCHORS_DIR = tmp_path / "anchors"
    url = read_instance()["DATABASE_BACKUP_URL"].replace("/labportal?", f"/{NAME}?")
    monkeypatch.setenv("DATABASE_BACKUP_URL", url)
    yield Machine(tmp_path, settings)
    spare_database.drop(RESTORED)


def keep(lab: Lab, folder: Path, order_id: str) -> Revision:
    return put_in_store(lab, make_order(lab, make_pairing(lab), order_id), folder, zip_bytes())


def cases(lab: Lab) -> list[tuple[Any, ...]]:
    """What a lab has, with the hash of each zip's bytes as they lie on the disk."""
    with in_lab(lab.pk):
        rows = list(Revision.objects.of(lab).select_related("order").order_by("order__order_id", "number"))
        assert Revision.objects.count() == len(rows), "another lab's rows are in sight"
    return [(row.pk, row.order.order_id, row.order.patient, row.sha256, hash_of(row)) for row in rows]


def hash_of(revision: Revision) -> str:
    with store.open_stored(revision.archive) as file:
        return hashlib.sha256(file.read()).hexdigest()


# --- the round trip ------------------------------------------------------------------------------------------------


def test_both_labs_rows_and_zips_come_back_and_the_wall_between_them(cast: Cast, machine: Machine) -> None:
    keep(cast.lab_a, machine.folder, "1001")
    keep(cast.lab_a, machine.folder, "1002")
    keep(cast.lab_b, machine.folder, "2001")
    before = cases(cast.lab_a), cases(cast.lab_b)
    machine.backup()
    machine.move()
    said = machine.restore()
    assert "3 stored revisions of 2 labs checked: 3 good, 0 bad." in said
    assert "SAFE MODE" in said
    assert (cases(cast.lab_a), cases(cast.lab_b)) == before
    assert [len(found) for found in before] == [2, 1]
    assert Order.objects.count() == 0  # no lab is named: the policies are in force


def test_the_restored_database_has_the_tables_of_the_migrations_word_for_word(cast: Cast, machine: Machine) -> None:
    before = catalogue()
    machine.backup()
    machine.move()
    machine.restore()
    assert catalogue() == before


def catalogue() -> list[tuple[Any, ...]]:
    """Policies, row-level security, rights and owners of everything, as PostgreSQL has them."""
    found: list[tuple[Any, ...]] = []
    with connections["owner"].cursor() as cursor:
        for query in (
            "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies",
            "SELECT oid::regclass::text, relowner::regrole::text, relrowsecurity, relforcerowsecurity,"
            " ARRAY(SELECT a::text FROM unnest(relacl) a ORDER BY 1)"
            " FROM pg_class WHERE relkind IN ('r', 'S') AND relnamespace = 'public'::regnamespace",
            "SELECT oid::regprocedure::text, proowner::regrole::text, prosecdef, proconfig::text,"
            " ARRAY(SELECT a::text FROM unnest(proacl) a ORDER BY 1), prosrc"
            " FROM pg_proc WHERE pronamespace::regnamespace::text IN ('resolve', 'audit', 'guards')",
            "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace",
            "SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute WHERE attacl IS NOT NULL"
            " AND attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)",
            "SELECT defaclrole::regrole::text, defaclobjtype, defaclacl::text FROM pg_default_acl",
        ):
            cursor.execute(query)
            found += sorted(cursor.fetchall(), key=repr)
    return found


def test_the_audit_comes_back_whole_with_its_anchors_and_goes_on(
    cast: Cast, machine: Machine, client_of: Callable[[User], Client]
) -> None:
    client_of(cast.anna).get("/")
    anchors.anchor()
    before = verdicts()
    assert len(before) >= 3
    machine.backup()
    client_of(cast.anna).get("/")
    later = anchors.anchor(datetime.now(UTC) + timedelta(days=1))
    machine.move()
    machine.restore()
    assert {chain: verdicts()[chain] for chain in before if chain != INSTALLATION} == {
        chain: length for chain, length in before.items() if chain != INSTALLATION
    }
    assert not later.exists()
    assert later.with_suffix(".json.before-restore").exists()
    last = Entry.objects.using("operator").filter(chain=INSTALLATION).order_by("-seq")[0]
    assert (last.action, last.details["later_anchors"]) == ("backup.restored", 1)
    (machine.folder / "anchors" / f"{datetime.now(UTC):%Y-%m-%d}.json").unlink()
    machine.settings.AUDIT_ANCHORS_DIR = machine.folder / "backup" / "anchors"
    assert verdicts()[cast.lab_a.pk] == before[cast.lab_a.pk], "the backup brought its anchors along"


def verdicts() -> dict[Any, int]:
    """The length of each chain; all are whole."""
    found = list(verify_all(anchors.load()))
    assert [verdict for verdict in found if verdict.broken] == []
    return {verdict.chain: verdict.length for verdict in found}


# --- safe mode -----------------------------------------------------------------------------------------------------


@pytest.fixture
def restored(cast: Cast, machine: Machine, align: Simulator, client_of: Callable[[User], Client]) -> Pairing:
    """Lab A's connection with a running Align, restored; its access token has run out, so a call would refresh."""
    pairing = pair_lab(client_of(cast.anna), align, "479")
    change(pairing, access_expires_at=timezone.now() - timedelta(hours=1), next_due=timezone.now())
    machine.backup()
    machine.move()
    machine.restore()
    return pairing


def test_in_safe_mode_nothing_goes_to_align(restored: Pairing, align: Simulator) -> None:
    before = calls_in_order(align)
    for ask in (access_for, refresh):
        with pytest.raises(PairingStopped) as stopped:
            ask(restored.lab_id, restored.pk)
        assert stopped.value.code == "safe_mode"
    run = poll(restored.lab_id, restored.pk)
    assert run is not None
    assert run.reason == "safe_mode"
    assert calls_in_order(align) == before


def test_in_safe_mode_a_connection_that_is_being_ended_waits(restored: Pairing, align: Simulator) -> None:
    change(restored, state=State.UNPAIRING)
    before = calls_in_order(align)
    assert not finish_unpair(restored.lab_id, restored.pk)
    assert calls_in_order(align) == before
    assert again(restored).state == State.UNPAIRING


def test_every_page_says_so(restored: Pairing, cast: Cast, client_of: Callable[[User], Client]) -> None:
    assert "restored from a backup and is in safe mode" in words_on(client_of(cast.vera), "/")


def test_web_and_worker_cannot_end_it(restored: Pairing) -> None:
    with connections["default"].cursor() as cursor, pytest.raises(Exception, match="permission denied"):
        cursor.execute("DELETE FROM running_safemode")
    assert safe_mode.is_on()


def test_leaving_it_asks_every_lab_to_sign_in_again(restored: Pairing, align: Simulator) -> None:
    before = calls_in_order(align)
    call_command("leave_safe_mode", stdout=io.StringIO())
    assert not safe_mode.is_on()
    assert (again(restored).state, again(restored).reason) == (State.NEEDS_PAIRING, "restored")
    with pytest.raises(PairingStopped):
        access_for(restored.lab_id, restored.pk)
    assert calls_in_order(align) == before


def test_with_keep_tokens_the_restored_sign_in_is_used_again(restored: Pairing, align: Simulator) -> None:
    before = calls_in_order(align)
    call_command("leave_safe_mode", "--keep-tokens", stdout=io.StringIO())
    assert access_for(restored.lab_id, restored.pk).access_token
    assert again(restored).state == State.ACTIVE
    assert calls_in_order(align) != before


# --- what a backup is ----------------------------------------------------------------------------------------------


def test_a_backup_is_closed_to_others_and_names_every_file(cast: Cast, machine: Machine) -> None:
    revision = keep(cast.lab_a, machine.folder, "1001")
    folder = machine.backup()
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    files = json.loads((folder / "manifest.json").read_text())["files"]
    assert set(files) == {"database.dump", f"scans/{revision.archive}"}
    assert files[f"scans/{revision.archive}"] == {"size": revision.size, "sha256": revision.sha256}


def test_with_link_the_bytes_are_shared(cast: Cast, machine: Machine) -> None:
    revision = keep(cast.lab_a, machine.folder, "1001")
    folder = machine.backup("--link")
    assert (folder / "scans" / revision.archive).stat().st_nlink == 2


def test_no_secret_of_the_installation_is_in_it(cast: Cast, machine: Machine) -> None:
    folder = machine.backup()
    instance = read_instance()
    secrets = [str(instance[name]).encode() for name in ("SECRET_KEY", "TOKEN_KEYS", "NOTIFICATION_SECRET")]  # type: ignore[literal-required]  # the names are right here
    content = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert [secret for secret in secrets if secret in content] == []


def test_a_folder_that_holds_something_is_refused(machine: Machine) -> None:
    machine.backup()
    with pytest.raises(CommandError, match="not empty"):
        machine.backup()


def test_without_the_backup_role_it_says_what_is_missing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_BACKUP_URL", "")
    with pytest.raises(CommandError, match="DATABASE_BACKUP_URL is not set"):
        machine.backup()


def test_a_role_that_is_walled_in_makes_no_backup(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_BACKUP_URL", read_instance()["DATABASE_URL"].replace("/labportal?", f"/{NAME}?"))
    with pytest.raises(CommandError, match="pg_dump failed"):
        machine.backup()
    assert not (machine.folder / "backup" / "manifest.json").exists()


# --- what a restore refuses ----------------------------------------------------------------------------------------


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


# --- other places --------------------------------------------------------------------------------------------------


def test_of_a_bucket_the_zips_are_listed_not_copied(cast: Cast, machine: Machine) -> None:
    machine.settings.STORAGES = {
        **machine.settings.STORAGES,
        "scans": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    revision = keep(cast.lab_a, machine.folder, "1001")
    out = io.StringIO()
    call_command("backup", str(machine.folder / "backup"), stdout=out)
    manifest = json.loads((machine.folder / "backup" / "manifest.json").read_text())
    assert manifest["elsewhere"] == {revision.archive: {"size": revision.size, "sha256": revision.sha256}}
    assert list(manifest["files"]) == ["database.dump"]
    assert "1 zips are listed in manifest.json but not copied" in out.getvalue()


def test_on_one_new_machine_one_command_starts_the_database_and_restores(
    cast: Cast, machine: Machine, tmp_path: Path
) -> None:
    revision = keep(cast.lab_a, machine.folder, "1001")
    backup, data = machine.backup(), tmp_path / "new-machine"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DATABASE_")}
    command = [sys.executable, str(BASE_DIR / "manage.py"), "restore", str(backup), "--start-database"]
    try:
        done = subprocess.run(
            command, env=environment | {"DATA_DIR": str(data)}, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "SAFE MODE" in done.stdout
        assert "1 good, 0 bad" in done.stdout
        assert (data / "scans" / revision.archive).read_bytes() == zip_bytes()
    finally:
        start(data).remove()
