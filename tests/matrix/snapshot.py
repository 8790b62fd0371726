"""What the whole database holds, read past every wall: a sum over the rows of each table, by whose they are."""

from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connections
from django_q.models import OrmQ

from tests import database

# (table, whose): whose is a lab's id, a chain's, a session's key, a person's id, or "".
Place = tuple[str, str]
Snapshot = dict[Place, str]

# The chain's head changes with each of its entries, which nobody may change (tests/audit/). The cache holds counters.
LEFT_OUT = {"audit_entry", "labportal_cache", "django_migrations"}
# Noted after every answer, also a refusal.
NOTED = {"labs_membership": "last_seen_at", "lms_apikey": "last_used_at"}
WHOSE = ("lab_id", "chain", "session_key", "user_id")
NAMED_BY_ID = ("labs_lab", "labs_user")


def snapshot() -> Snapshot:
    with _connection().cursor() as cursor:
        cursor.execute(_every_table())
        return {(table, whose): total for table, whose, total in cursor.fetchall()}


def places_changed(before: Snapshot, after: Snapshot) -> set[Place]:
    return {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}


def labs_rung_for() -> str:
    """The arguments of all that is queued, as text."""
    return repr([(each.task.get("args"), each.task.get("kwargs")) for each in OrmQ.objects.all()])


@cache
def _connection() -> "psycopg.Connection[Any]":
    server = database._prepared.server
    assert server is not None, "needs the embedded database: a server of one's own gives no superuser to tests"
    url = urlsplit(server.superuser_url)._replace(path=f"/{connections['default'].settings_dict['NAME']}")
    return psycopg.connect(urlunsplit(url), autocommit=True)


@cache
def _every_table() -> str:
    with _connection().cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns "
            "JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE' GROUP BY 1 ORDER BY 1"
        )
        tables = {table: columns for table, columns in cursor.fetchall() if table not in LEFT_OUT}
    return " UNION ALL ".join(_one_table(table, columns) for table, columns in tables.items())


def _one_table(table: str, columns: list[str]) -> str:
    whose = "id" if table in NAMED_BY_ID else next((name for name in WHOSE if name in columns), None)
    row = f"(to_jsonb(t) - '{NOTED[table]}')::text" if table in NOTED else "t::text"
    return (
        f"SELECT '{table}', {f't.{whose}::text' if whose else repr('')}, "
        f"count(*) || ':' || sum(hashtextextended({row}, 0)) FROM {table} t GROUP BY 2"
    )
