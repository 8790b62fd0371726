"""What the doctor asks the database: its roles, the walls between labs, migrations, and its clock."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from labportal.keeping.doctor_line import BAD, LOOK, OK, Line
from labportal.labs.allow_list import is_lab_record
from labportal.running.clock import WRONG, seconds_away

CLOCK_LOOK = 2.0  # seconds; leases and tokens are reckoned by both clocks
OLDEST = 160000


def role_line() -> Iterator[Line]:
    """Version, and for each log-in whether policies bind it."""
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
        number, version = cursor.fetchone() or (0, "?")
    tone, todo = (OK, "") if number >= OLDEST else (BAD, "Upgrade to PostgreSQL 16 or newer.")
    yield Line(tone, "database", f"PostgreSQL {version}", todo)
    for alias in ("default", "operator"):
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_user, rolsuper OR rolbypassrls, EXISTS (SELECT FROM pg_class WHERE relowner = r.oid"
                " AND relkind = 'r') FROM pg_roles r WHERE rolname = current_user"
            )
            name, bypasses, owns = cursor.fetchone() or ("?", True, True)
        if bypasses or owns:
            found = "bypasses row-level security" if bypasses else "owns tables"
            yield Line(BAD, "database role", f"{name} {found}", "Use the log-ins that labportal.roles made.")
        else:
            yield Line(OK, "database role", f"{name} is walled in")


def walls() -> Iterator[Line]:
    """ENABLE and FORCE and a policy on each table that holds a lab's records."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if is_lab_record(model)}
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"
            " AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)"
        )
        walled = {name for (name,) in cursor.fetchall()}
    for table in sorted(tables - walled):
        yield Line(BAD, "walls", f"{table} has none", "Stop web and worker; run migrate, or restore a backup.")
    if tables <= walled:
        yield Line(OK, "walls", f"row-level security on all {len(tables)} lab tables")


def migrations() -> Iterator[Line]:
    executor = MigrationExecutor(connections["default"])
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        yield Line(BAD, "migrations", f"{missing} not applied", "Run manage.py migrate --database owner.")
    else:
        yield Line(OK, "migrations", "all applied")


def clock() -> Iterator[Line]:
    away = abs(seconds_away())
    tone = OK if away < CLOCK_LOOK else LOOK if away < WRONG else BAD
    todo = "Set both by NTP: a worker whose clock is wrong does no work."
    yield Line(tone, "clock", f"{away:.1f} s from the database's", "" if tone == OK else todo)
