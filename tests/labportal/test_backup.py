"""backup and restore, the whole way: two labs with real zips, into a database that never saw them."""

import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from connector.orders import store
from connector.orders.models import Order, Revision
from labportal.audit import anchors
from labportal.audit.models import INSTALLATION, Entry
from labportal.audit.verify import verify_all
from labportal.embedded_postgres import start
from labportal.env import BASE_DIR, read_instance
from labportal.keeping import backup, manifest
from labportal.labs.models import User
from tests.cast import Cast
from tests.database import NAME
from tests.labportal.machine import Machine, cases, keep
from tests.orders.stored import zip_bytes

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


@pytest.mark.parametrize("option", [(), ("--link",)], ids=["copied", "linked"])
def test_what_is_removed_meanwhile_is_left_out_and_the_rest_is_whole(
    cast: Cast, machine: Machine, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    """A case whose time is over in the middle of the backup, and one file of which only the name was read yet."""
    first, case, file = (keep(cast.lab_a, machine.folder, order_id) for order_id in ("1001", "1002", "1003"))
    first, case, file = sorted((first, case, file), key=lambda revision: revision.archive)
    copy = manifest.copy

    def removed_meanwhile(source: Path, target: Path, *, link: bool = False) -> Any:
        if source == place_of(first):
            shutil.rmtree(place_of(case).parent.parent)
        if source == place_of(file):
            source.unlink()
        return copy(source, target, link=link)

    monkeypatch.setattr(backup, "copy", removed_meanwhile)
    folder = machine.backup(*option)
    files = json.loads((folder / "manifest.json").read_text())["files"]
    assert set(files) == {"database.dump", f"scans/{first.archive}"}
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [
        "database.dump", "manifest.json", "scan.zip",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_read_is_not_left_out(cast: Cast, machine: Machine) -> None:
    keep(cast.lab_a, machine.folder, "1001")
    root = machine.folder / "disk" / "labs"
    shutil.rmtree(root)
    root.touch()
    with pytest.raises(CommandError, match="The backup is incomplete"):
        machine.backup()


def place_of(revision: Revision) -> Path:
    path = store.local_path(revision.archive)
    assert path is not None
    return path


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
