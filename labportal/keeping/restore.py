"""Bring a backup into an empty database, as the owner role and in one transaction that ends in safe mode.

A superuser is not needed: the dump creates tables with FORCE but turns row-level security on only after their rows are
in, so the owner may load them; foreign keys and policies follow. The functions of `resolve` and `audit`
belong to the resolver and the auditor role, and the owner may become them (docs/decisions/0016).
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import connections

from labportal.audit import anchors
from labportal.audit.services import record
from labportal.keeping import manifest as manifests
from labportal.keeping.backup import scan_folder
from labportal.keeping.manifest import ANCHORS, DUMP, SCANS, Manifest
from labportal.keeping.programs import KeepingFailed, program, said, way_to
from labportal.role_names import role

# What migrations alone write, and what a portal without a lab writes by itself.
OF_NO_LAB = (
    "django_migrations", "django_content_type", "auth_permission", "django_q_schedule", "django_q_ormq",
    "django_q_task", "django_session", "labportal_cache", "audit_entry", "audit_head",
)  # fmt: skip
# Functions that run with their owner's rights: by schema, the role that owns them.
DEFINERS = {"resolve": "resolver", "audit": "auditor"}
DEFINED = re.compile(rf"^\d+; \d+ \d+ (?:FUNCTION|ACL) ({'|'.join(DEFINERS)}) ")
COMMENT_OR_BLANK = re.compile(r"^;|^\s*$")
# What migrations made beside tables; an extension's own functions stay with it.
DROP_FUNCTIONS = """DO $drop$ DECLARE ours regprocedure; BEGIN
FOR ours IN SELECT oid FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND proowner = current_user::regrole
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
LOOP EXECUTE 'DROP ROUTINE ' || ours; END LOOP; END $drop$;"""


def restore(folder: Path) -> Manifest:
    """Files first (a second try finds them), then the database, then the tables of this release.

    Errors: KeepingFailed; then the database is as empty as it was.
    """
    manifest = manifests.read(folder)
    if manifest.role_prefix != settings.DATABASE_ROLE_PREFIX:
        raise KeepingFailed(f"The backup's roles begin with “{manifest.role_prefix}”: set DATABASE_ROLE_PREFIX to it.")
    tables = _tables_of_an_empty_database()
    manifests.check(folder, manifest)
    _bring_files_back(folder, manifest)
    _load(folder / DUMP, tables)
    call_command("migrate", database="owner", verbosity=0)
    aside = anchors.set_aside(datetime.fromisoformat(manifest.made_at))
    record("backup.restored", lab_id=None, made_at=manifest.made_at, later_anchors=aside)
    return manifest


def _tables_of_an_empty_database() -> list[str]:
    """The tables that migrations made there. Sizes, not rows: row-level security hides rows from the owner too."""
    connections["default"].close()
    connections["operator"].close()
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_relation_size(oid) FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace = 'public'::regnamespace ORDER BY relname"
        )
        tables: dict[str, int] = dict(cursor.fetchall())
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = ANY(%s)",
            [[role("app"), role("operator")]],
        )
        users = (cursor.fetchone() or (0,))[0]
    connections["owner"].close()
    if any(size for name, size in tables.items() if name not in OF_NO_LAB):
        raise KeepingFailed(
            "The database is not empty, and a restore never overwrites. Make a new one (labportal.roles --database"
            " NAME) or, on one machine, use a new DATA_DIR."
        )
    if users:
        raise KeepingFailed(f"The database is in use ({users} connections). Stop web and worker first.")
    return list(tables)


def _bring_files_back(folder: Path, manifest: Manifest) -> None:
    """A file that is there already is never overwritten; verify finds out whether it is the right one."""
    for name, target in _places(manifest):
        if not target.exists():
            try:
                manifests.copy(folder / name, target)
            except OSError as error:
                raise KeepingFailed(f"{target} cannot be written: {error.strerror}.") from error


def _places(manifest: Manifest) -> Iterator[tuple[str, Path]]:
    root = scan_folder()
    for name in manifest.files:
        if name.startswith(ANCHORS):
            yield name, anchors.folder() / name.removeprefix(ANCHORS)
        elif name.startswith(SCANS) and root is not None:
            yield name, root / name.removeprefix(SCANS)


def _load(dump: Path, tables: list[str]) -> None:
    """All or nothing: COMMIT is said only after every part was written without an error."""
    contents = _run([program("pg_restore"), "--list", str(dump)]).decode().splitlines()
    entries = [line for line in contents if not COMMENT_OR_BLANK.match(line)]
    rest = [line for line in entries if not DEFINED.match(line)]
    dropped = [f'DROP TABLE IF EXISTS public."{name}" CASCADE;' for name in tables]
    with tempfile.TemporaryFile() as errors:
        psql = subprocess.Popen(  # noqa: S603 - our own words
            [program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--output=/dev/null"],
            stdin=subprocess.PIPE, stderr=errors, env=way_to(connections["owner"].settings_dict),
        )  # fmt: skip
        failed: Exception | None = None
        try:
            _write(psql, "BEGIN;", "DROP SCHEMA IF EXISTS resolve, audit, guards CASCADE;", *dropped, DROP_FUNCTIONS)
            _script(psql, dump, rest)
            _write(psql, "INSERT INTO public.running_safemode (id, since) VALUES (1, now());")
            for schema, definer in DEFINERS.items():
                theirs = [line for line in entries if (found := DEFINED.match(line)) and found[1] == schema]
                _write(psql, f'SET LOCAL ROLE "{role(definer)}";')
                _script(psql, dump, theirs, "--no-owner")
                _write(psql, "RESET ROLE;")
            _write(psql, "COMMIT;")
        except (BrokenPipeError, KeepingFailed) as error:
            failed = error  # psql met an error and left, so its words come first
        finally:
            _close(psql)
        errors.seek(0)
        if psql.returncode:
            raise KeepingFailed(f"The database could not be loaded; nothing was changed: {said(errors.read())}")
        if failed:
            raise failed


def _close(psql: subprocess.Popen[bytes]) -> None:
    """Without COMMIT the server takes everything back."""
    assert psql.stdin is not None
    with suppress(BrokenPipeError):
        psql.stdin.close()
    psql.wait()


def _write(psql: subprocess.Popen[bytes], *statements: str) -> None:
    assert psql.stdin is not None
    psql.stdin.write("".join(f"{statement}\n" for statement in statements).encode())
    psql.stdin.flush()


def _script(psql: subprocess.Popen[bytes], dump: Path, entries: list[str], *options: str) -> None:
    """Stream the SQL of these entries of the dump into psql. Comments on extensions are a superuser's."""
    with tempfile.NamedTemporaryFile("w", suffix=".list") as chosen:
        chosen.write("\n".join(entries) + "\n")
        chosen.flush()
        command = [program("pg_restore"), "--no-comments", *options, f"--use-list={chosen.name}", "--file=-", str(dump)]
        done = subprocess.run(command, stdout=psql.stdin, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise KeepingFailed(f"The dump could not be read; nothing was changed: {said(done.stderr)}")


def _run(command: list[str]) -> bytes:
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own words
    if done.returncode:
        raise KeepingFailed(f"The dump could not be read; nothing was changed: {said(done.stderr)}")
    return done.stdout
