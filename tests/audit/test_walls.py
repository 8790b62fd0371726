"""Append-only, and each lab sees its own chain alone: tried with real SQL, as each role that can log in."""

from typing import Any

import pytest
from django.db import connections, transaction
from django.db.utils import ProgrammingError

from labportal.audit.models import Entry
from labportal.audit.services import record
from labportal.labs.tenancy import in_lab
from labportal.role_names import role
from tests.audit.conftest import Since
from tests.cast import Cast

WRITES = [
    "UPDATE audit_entry SET ip = 'x'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "UPDATE audit_head SET seq = seq + 1",
    "UPDATE audit_head SET seq = 0, hash = ''",
    "DELETE FROM audit_head",
    "TRUNCATE audit_head",
    "INSERT INTO audit_head (chain, seq, hash) VALUES (gen_random_uuid(), 7, 'x')",
    "INSERT INTO audit_entry (hash, previous, chain, seq, at, actor_kind, actor_code, action, object_type, object_id,"
    " facts, ip) VALUES ('x', 'y', gen_random_uuid(), 1, now(), 'system', '', 'x', '', '', '{}', '')",
]
WHO = [("default", ""), ("operator", ""), ("owner", ""), ("owner", "auditor")]
# Whoever becomes the auditor may append; verify_audit finds a row that does not fit.
ALLOWED = (*WHO[-1], WRITES[-1])
REFUSED = [(*who, statement) for who in WHO for statement in WRITES if (*who, statement) != ALLOWED]


@pytest.fixture(autouse=True)
def _an_entry(cast: Cast, since: Since) -> None:
    record("case.viewed", lab_id=cast.lab_a.pk)
    record("case.viewed", lab_id=cast.lab_b.pk)


@pytest.mark.parametrize(("alias", "becomes", "statement"), REFUSED)
def test_nobody_changes_the_record(cast: Cast, alias: str, becomes: str, statement: str) -> None:
    if (alias, becomes) == ("owner", "") and statement.startswith("UPDATE audit_head"):
        # No error: row-level security shows the owner no head, so none is changed.
        assert attempt(cast, alias, becomes, statement) == 0
    else:
        with pytest.raises(ProgrammingError, match=r"permission denied|append-only|row-level security"):
            attempt(cast, alias, becomes, statement)


def attempt(cast: Cast, alias: str, becomes: str, statement: str) -> int:
    """How many rows it changed, as this log-in, which first becomes another role where it may."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        if becomes:
            cursor.execute(f"SET LOCAL ROLE {role(becomes)}")
        cursor.execute("SELECT set_config('app.lab_id', %s, true)", [str(cast.lab_a.pk)])
        cursor.execute(statement)
        return int(cursor.rowcount)


@pytest.mark.parametrize("alias", ["default", "operator"])
def test_neither_becomes_the_auditor(alias: str) -> None:
    with connections[alias].cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute(f"SET ROLE {role('auditor')}")


def test_a_lab_reads_its_own_chain_alone(cast: Cast) -> None:
    with in_lab(cast.lab_a.pk):
        assert set(Entry.objects.values_list("chain", flat=True)) == {cast.lab_a.pk}
    assert list(Entry.objects.all()) == []  # without a lab there is nothing


def test_the_app_reads_no_head(cast: Cast) -> None:
    with connections["default"].cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute("SELECT * FROM audit_head")


def rows(sql: str, *values: str) -> list[tuple[Any, ...]]:
    with connections["owner"].cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


@pytest.mark.parametrize("table", ["audit_entry", "audit_head"])
def test_row_level_security_is_on_and_binds_the_owner_too(table: str) -> None:
    asked = "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = %s::regclass"
    assert rows(asked, table) == [(True, True)]


def test_only_two_functions_run_with_the_auditors_rights_and_only_the_app_may_call_them() -> None:
    found = rows(
        "SELECT proname, prosecdef, proconfig, proacl::text[] FROM pg_proc WHERE proowner = %s::regrole",
        role("auditor"),
    )
    assert {row[0] for row in found} == {"append", "heads"}
    for _, definer, config, rights in found:
        assert (definer, config) == (True, ["search_path=public, pg_temp"])
        auditor, app = role("auditor"), role("app")
        assert sorted(rights) == sorted([f"{auditor}=X/{auditor}", f"{app}=X/{auditor}"])


def test_the_auditor_does_not_log_in_and_owns_no_table() -> None:
    assert rows("SELECT rolcanlogin, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = %s", role("auditor")) == [
        (False, False, False)
    ]
    assert rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND relowner = %s::regrole", role("auditor")) == []
