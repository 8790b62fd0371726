"""The portal's database roles on a real server: each has what its name says, and no more."""

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from labportal.embedded_postgres import Server, start
from labportal.roles import RolePasswords, RoleUrls, ensure_roles, load_or_make_secrets, main, role_url

PASSWORDS = RolePasswords(owner="o'w%n", app="a/p p", operator="o:p", backup="b@k")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = start(tmp_path_factory.mktemp("roles"), fast=True)
    yield started
    started.remove()


@pytest.fixture(scope="module")
def urls(server: Server) -> RoleUrls:
    found = ensure_roles(server.superuser_url, database="labportal", passwords=PASSWORDS)
    with psycopg.connect(found.owner) as connection:
        connection.execute("CREATE TABLE case_row (lab_id int NOT NULL)")
        connection.execute("INSERT INTO case_row VALUES (1)")
        connection.execute("ALTER TABLE case_row ENABLE ROW LEVEL SECURITY")
        connection.execute("ALTER TABLE case_row FORCE ROW LEVEL SECURITY")
        connection.execute("GRANT SELECT ON case_row TO portal_app, portal_operator")
    return found


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return list(connection.execute(query.encode()).fetchall())


def attributes(server: Server, role: str) -> set[object]:
    columns = ("rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole", "rolreplication", "rolcanlogin")
    found = rows(server.superuser_url, f"SELECT {', '.join(columns)} FROM pg_roles WHERE rolname = '{role}'")
    return {name for name, has in zip(columns, found[0], strict=True) if has}


@pytest.mark.parametrize(
    ("role", "has"),
    [
        ("portal_owner", {"rolcanlogin", "rolcreatedb"}),
        ("portal_app", {"rolcanlogin"}),
        ("portal_operator", {"rolcanlogin"}),
        ("portal_backup", {"rolcanlogin", "rolbypassrls"}),
        ("portal_resolver", set()),
    ],
)
def test_a_role_has_exactly_its_attributes(server: Server, urls: RoleUrls, role: str, has: set[str]) -> None:
    assert attributes(server, role) == has


def test_a_second_run_takes_away_what_somebody_added(server: Server, urls: RoleUrls) -> None:
    with psycopg.connect(server.superuser_url) as connection:
        connection.execute("ALTER ROLE portal_app SUPERUSER BYPASSRLS CREATEDB")
    again = ensure_roles(server.superuser_url, database="labportal", passwords=PASSWORDS)
    assert (again, attributes(server, "portal_app")) == (urls, {"rolcanlogin"})


@pytest.mark.parametrize("kind", ["TABLE", "TEMPORARY TABLE"])
@pytest.mark.parametrize("role", ["app", "operator", "backup"])
def test_only_the_owner_creates_tables(urls: RoleUrls, role: str, kind: str) -> None:
    with psycopg.connect(getattr(urls, role)) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"CREATE {kind} mine (number int)".encode())


@pytest.mark.parametrize("role", ["owner", "app", "operator"])
def test_row_level_security_hides_the_row_without_a_policy(urls: RoleUrls, role: str) -> None:
    assert rows(getattr(urls, role), "SELECT lab_id FROM case_row") == []


def test_backup_reads_every_row(urls: RoleUrls) -> None:
    assert rows(urls.backup, "SELECT lab_id FROM case_row") == [(1,)]


def test_backup_is_read_only_from_the_start(urls: RoleUrls) -> None:
    with psycopg.connect(urls.backup) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("INSERT INTO case_row VALUES (2)")


def test_backup_cannot_write_even_when_it_unsets_read_only(urls: RoleUrls) -> None:
    with psycopg.connect(urls.backup) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO case_row VALUES (2)")


def test_the_owner_can_make_a_test_database_with_the_extensions(urls: RoleUrls) -> None:
    with psycopg.connect(urls.owner, autocommit=True) as connection:
        connection.execute("CREATE DATABASE test_labportal")
    with psycopg.connect(urls.owner, dbname="test_labportal") as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("CREATE EXTENSION btree_gin")


def test_the_owner_can_hand_a_function_to_the_resolver(urls: RoleUrls) -> None:
    with psycopg.connect(urls.owner) as connection:
        connection.execute("CREATE FUNCTION due() RETURNS int LANGUAGE sql SECURITY DEFINER RETURN 1")
        connection.execute("GRANT CREATE ON SCHEMA public TO portal_resolver")
        connection.execute("ALTER FUNCTION due() OWNER TO portal_resolver")
        connection.execute("REVOKE CREATE ON SCHEMA public FROM portal_resolver")
        found = connection.execute("SELECT proowner::regrole::text FROM pg_proc WHERE proname = 'due'").fetchone()
    assert found == ("portal_resolver",)


@pytest.mark.parametrize("role", ["app", "operator", "backup"])
@pytest.mark.parametrize("wanted", ["portal_owner", "portal_resolver"])
def test_no_log_in_of_the_portal_can_become_another_role(urls: RoleUrls, role: str, wanted: str) -> None:
    with psycopg.connect(getattr(urls, role)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(f"SET ROLE {wanted}".encode())


def test_a_stranger_may_not_connect_to_the_database(server: Server, urls: RoleUrls) -> None:
    with psycopg.connect(server.superuser_url) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'x'")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(urls.app, user="stranger", password="x")


def test_an_idle_transaction_outlives_the_longest_token_refresh(urls: RoleUrls) -> None:
    assert rows(urls.app, "SHOW idle_in_transaction_session_timeout") == [("2min",)]


def test_the_command_writes_private_files_and_keeps_the_passwords(server: Server, tmp_path: Path) -> None:
    superuser = tmp_path / "superuser_url"
    superuser.write_text(server.superuser_url + "\n")
    arguments = ["--superuser-url-file", str(superuser), "--out", str(tmp_path / "urls"), "--prefix", "second"]
    arguments += ["--database", "second"]
    assert main(arguments) == 0
    file = tmp_path / "urls" / "app" / "url"
    first = file.read_text()
    assert main(arguments) == 0
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == (first, 0o600)
    assert rows(first.strip(), "SELECT current_user::text") == [("second_app",)]


def test_a_url_keeps_the_server_and_its_tls_and_changes_the_log_in() -> None:
    known = "postgresql://root:x@db.example:6432/postgres?sslmode=verify-full"
    url = role_url(known, user="u", password="p", database="labportal")
    assert url == "postgresql://u:p@db.example:6432/labportal?sslmode=verify-full"


def test_secrets_are_made_once_and_kept_private(tmp_path: Path) -> None:
    first = load_or_make_secrets(tmp_path)
    assert load_or_make_secrets(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_no_secret_shows_when_secrets_are_printed(tmp_path: Path, urls: RoleUrls) -> None:
    made = load_or_make_secrets(tmp_path)
    assert (str(made), str(made.role_passwords), str(urls)) == ("Secrets()", "RolePasswords()", "RoleUrls()")
