"""Every table is behind the wall or stands in the one list of global tables; read from PostgreSQL's own catalogue."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connections, models
from django.db.utils import ProgrammingError

from connector.pairing.models import Pairing
from labportal.labs.allow_list import GLOBAL_TABLES, is_lab_record
from labportal.labs.models import Lab, LabQuerySet, LabScoped
from labportal.role_names import role
from tests.cast import Cast

LAB_MODELS = [
    model for model in apps.get_models(include_auto_created=True) if is_lab_record(model) and model._meta.managed
]
BEHIND_THE_WALL = [model for model in LAB_MODELS if model is not Lab]
EVERY_LAB_MODEL = pytest.mark.parametrize("model", LAB_MODELS, ids=lambda model: model._meta.db_table)
EVERY_LAB_RECORD = pytest.mark.parametrize("model", BEHIND_THE_WALL, ids=lambda model: model._meta.db_table)
MINE = "= (NULLIF(current_setting('app.lab_id'::text, true), ''::text))::uuid"
# What may be known before a lab is. Each gives ids (and the state of a pairing) and nothing else.
RESOLVERS = {
    "account_link", "callback", "active_pairings", "due_checks", "due_work", "due_returns", "due_reconciliations",
    "due_alarms", "labs_with_old_runs",
    "due_erasures", "api_key",
    "sign_on", "sign_on_lab",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _database(cast: Cast, django_db_blocker: Any) -> Iterator[None]:
    """No test here writes a row, so none has to be taken back."""
    with django_db_blocker.unblock():
        yield


def rows(sql: str, *values: str) -> list[tuple[Any, ...]]:
    """What the owner role reads in the catalogue."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def policies(table: str, kind: str = "PERMISSIVE") -> dict[tuple[str, str], tuple[str, str]]:
    """(role, command) → (USING, WITH CHECK) of each policy that opens the table, or that narrows it (RESTRICTIVE)."""
    found = rows(
        "SELECT roles[1], cmd, qual, with_check, cardinality(roles) FROM pg_policies "
        "WHERE tablename = %s AND permissive = %s",
        table,
        kind,
    )
    assert all(row[4] == 1 for row in found), "a policy names exactly one role, never PUBLIC"
    return {(row[0], row[1]): (row[2] or "", row[3] or "") for row in found}


@EVERY_LAB_RECORD
def test_a_labs_record_names_its_lab_always(model: type[models.Model]) -> None:
    assert rows(
        "SELECT attnotnull, format_type(atttypid, NULL) FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attname = 'lab_id'",
        model._meta.db_table,
    ) == [(True, "uuid")]


@EVERY_LAB_MODEL
def test_row_level_security_is_on_and_binds_the_owner_too(model: type[models.Model]) -> None:
    found = rows(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass", model._meta.db_table
    )
    assert found == [(True, True)]


@EVERY_LAB_MODEL
def test_the_app_reads_and_writes_the_current_labs_rows_only(model: type[models.Model]) -> None:
    key = "id" if model is Lab else "lab_id"
    mine = f"({key} {MINE})"
    found = policies(model._meta.db_table)
    app = {command: found[name, command] for name, command in found if name == role("app")}
    assert set(app) == {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert app["INSERT"] == ("", mine)
    assert app["UPDATE"] == (mine, mine)
    assert app["DELETE"] == (mine, "")
    if model._meta.db_table in {"labs_lab", "labs_membership"}:
        assert app["SELECT"][0].startswith(f"({mine} OR ")
        assert "app.user_id" in app["SELECT"][0]
    elif model._meta.db_table == "people_invitation":
        shown = "((token_hash)::text = NULLIF(current_setting('app.invitation'::text, true), ''::text))"
        assert app["SELECT"] == (f"({mine} OR {shown})", "")
    else:
        assert app["SELECT"] == (mine, "")


@EVERY_LAB_MODEL
def test_only_the_operator_reads_all_labs_rows_and_the_resolver_may_at_most_read(model: type[models.Model]) -> None:
    found = policies(model._meta.db_table)
    assert found.pop((role("operator"), "ALL")) == ("true", "true")
    found.pop((role("resolver"), "SELECT"), None)
    assert {name for name, _ in found} == {role("app")}


def ways_to_a_pairing(model: Any) -> list[str]:
    """Lookups by which a row of `model` hangs on one pairing: foreign keys that are never NULL, the shortest first."""
    if model is Pairing:
        return ["pk"]
    keys = [f for f in model._meta.fields if isinstance(f, models.ForeignKey) and not f.null]
    inner = [(key, way) for key in keys for way in ways_to_a_pairing(key.related_model)]
    return sorted((f"{key.name}_id" if way == "pk" else f"{key.name}__{way}" for key, way in inner), key=len)


@EVERY_LAB_RECORD
def test_what_hangs_on_a_pairing_says_so_to_the_first_wall(model: type[LabScoped]) -> None:
    """`LabQuerySet.of` filters by it: a new table that hangs on a pairing can't be forgotten."""
    assert model.pairing_path == next(iter(ways_to_a_pairing(model)), "")
    manager: Any = model._default_manager
    assert issubclass(manager._queryset_class, LabQuerySet)


@EVERY_LAB_RECORD
def test_what_hangs_on_a_pairing_is_narrowed_by_the_second_wall(model: type[LabScoped]) -> None:
    found = policies(model._meta.db_table, "RESTRICTIVE")
    if not model.pairing_path:
        assert found == {}
        return
    assert set(found) == {(role("app"), "ALL")}
    using, check = found[role("app"), "ALL"]
    assert using.startswith("(( SELECT (current_setting('app.pairings'::text, true) = '*'::text)) OR ")
    assert check == ""  # USING counts for what is written too


@EVERY_LAB_RECORD
def test_lab_and_id_are_a_key_together(model: type[models.Model]) -> None:
    assert ["lab_id", "id"] in [columns for _, columns, _ in keys(model._meta.db_table, "u")]


@EVERY_LAB_RECORD
def test_each_foreign_key_to_a_labs_record_carries_the_lab_with_it(model: type[models.Model]) -> None:
    composite = [(target, columns) for target, columns, _ in keys(model._meta.db_table, "f") if len(columns) == 2]
    needed = [
        (target, ["lab_id", columns[0]])
        for target, columns, _ in keys(model._meta.db_table, "f")
        if len(columns) == 1 and target not in {*GLOBAL_TABLES, "labs_lab"}
    ]
    assert sorted(composite) == sorted(needed)
    assert all(theirs in (["id"], ["lab_id", "id"]) for _, _, theirs in keys(model._meta.db_table, "f"))


def keys(table: str, kind: str) -> list[tuple[str, list[str], list[str]]]:
    """(table pointed to, our columns, their columns) of each constraint of a kind: f = foreign key, u = unique."""
    return rows(
        "SELECT confrelid::regclass::text,"
        " ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(n, i)"
        "   JOIN pg_attribute ON attrelid = conrelid AND attnum = k.n ORDER BY k.i),"
        " ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(n, i)"
        "   JOIN pg_attribute ON attrelid = confrelid AND attnum = k.n ORDER BY k.i) "
        "FROM pg_constraint WHERE conrelid = %s::regclass AND contype = %s",
        table, kind,
    )  # fmt: skip


def test_the_list_of_global_tables_names_no_table_that_is_not_there() -> None:
    assert set(GLOBAL_TABLES) - set(connections["owner"].introspection.table_names()) == set()


def test_a_table_without_a_model_is_known() -> None:
    modelled = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    tables = set(connections["owner"].introspection.table_names())
    assert tables - modelled == {"django_migrations", "labportal_cache"}


def test_no_view_shows_rows_past_the_wall() -> None:
    """A view runs with its owner's rights."""
    assert (
        rows("SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace") == []
    )


@pytest.mark.parametrize("name", ["app", "operator", "owner", "resolver"])
def test_no_role_of_the_portal_may_bypass_policies(name: str) -> None:
    asked = "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = %s"
    assert rows(asked, role(name)) == [(False, False, False)]


@pytest.mark.parametrize("name", ["app", "operator", "resolver", "backup"])
def test_only_the_owner_owns_tables(name: str) -> None:
    assert rows("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relowner = %s::regrole", role(name)) == []


@pytest.mark.parametrize("name", ["app", "operator"])
def test_no_log_in_is_a_member_of_another_role(name: str) -> None:
    asked = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = %s::regrole"
    assert rows(asked, role(name)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO django_migrations (app, name, applied) VALUES ('x', 'x', now())",
        "CREATE TABLE mine (id int)",
        "ALTER TABLE orders_order DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE orders_order NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY lab_read ON orders_order",
        "TRUNCATE orders_order",
        "CREATE TEMPORARY TABLE pairing_pairing (id int)",  # could stand in for the one that a resolver reads
        f"SET ROLE {role('owner')}",
        f"SET ROLE {role('resolver')}",
        f"SET ROLE {role('backup')}",
        "SET row_security = off; SELECT * FROM orders_order",
        "CREATE FUNCTION resolve.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ],
)
@pytest.mark.parametrize("alias", ["default", "operator"])
def test_web_and_worker_cannot_take_the_wall_down(alias: str, statement: str) -> None:
    with (
        connections[alias].cursor() as cursor,
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner|would be affected"),
    ):
        cursor.execute(statement)


def test_before_a_lab_is_known_only_the_named_functions_answer() -> None:
    found = rows(
        "SELECT proname, prosecdef, proowner::regrole::text, provolatile, proconfig, proacl::text[] FROM pg_proc "
        "WHERE pronamespace = 'resolve'::regnamespace"
    )
    assert {row[0] for row in found} == RESOLVERS
    for name, definer, owner, volatile, config, rights in found:
        assert (definer, owner, volatile) == (True, role("resolver"), "s"), name
        assert config == ["search_path=public, pg_temp"], name
        resolver, app = role("resolver"), role("app")
        assert sorted(rights) == sorted([f"{resolver}=X/{resolver}", f"{app}=X/{resolver}"]), name


def test_no_function_outside_of_resolve_runs_with_anothers_rights() -> None:
    asked = "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace IN ('public'::regnamespace)"
    assert rows(asked) == []


def test_the_resolver_may_read_no_name_and_no_secret() -> None:
    granted = rows(
        "SELECT table_name || '.' || column_name FROM information_schema.column_privileges "
        "WHERE grantee = %s AND privilege_type = 'SELECT'",
        role("resolver"),
    )
    telling = ("patient", "doctor", "practice", "notes", "sealed", "chart", "comment", "name", "email", "password")
    assert granted
    assert [column for (column,) in granted if any(word in column.split(".")[1] for word in telling)] == []


def test_the_resolver_may_write_nothing() -> None:
    asked = (
        "SELECT table_name, privilege_type FROM information_schema.role_table_grants WHERE grantee = %s "
        "AND privilege_type <> 'SELECT'"
    )
    assert rows(asked, role("resolver")) == []
