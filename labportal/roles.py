"""The PostgreSQL roles of a portal: who may own, use, administrate and back up its database.

    <prefix>_owner      log-in, creates databases; owns the tables, runs migrations, makes test databases
    <prefix>_app        log-in of web and worker; row-level security binds it, it creates nothing
    <prefix>_operator   log-in of the admin site; bound by row-level security through policies of its own
    <prefix>_backup     log-in for pg_dump; reads every row and writes none
    <prefix>_resolver   no log-in; owns the few SECURITY DEFINER functions that run before a lab is known
    <prefix>_auditor    no log-in; owns the one function that appends to the audit, which nobody else may write

Needs PostgreSQL 16 or newer. On a server of your own, run this once, and again after each upgrade of the portal:

    python -m labportal.roles --superuser-url-file URL_FILE --out FOLDER [--database labportal] [--prefix portal]

URL_FILE holds a superuser's postgresql:// URL. FOLDER/<role>/url (0600) then holds what DATABASE_URL_FILE (app),
DATABASE_OWNER_URL_FILE, DATABASE_OPERATOR_URL_FILE and the backup job read; a second run keeps the passwords.
"""

import argparse
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from urllib.parse import quote, unquote, urlencode, urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from labportal.secret_files import RolePasswords, Secrets, load_or_make_secrets, new_password, write_private

__all__ = ["RolePasswords", "RoleUrls", "Secrets", "ensure_roles", "load_or_make_secrets", "role_url"]

DEFAULT_PREFIX = "portal"
DEFAULT_DATABASE = "labportal"

_ATTRIBUTES = {
    "rolsuper": "SUPERUSER",
    "rolbypassrls": "BYPASSRLS",
    "rolcreatedb": "CREATEDB",
    "rolcreaterole": "CREATEROLE",
    "rolreplication": "REPLICATION",
    "rolcanlogin": "LOGIN",
    "rolinherit": "INHERIT",
}
# What each role has of the above; all the rest is taken away.
_GRANTED = {
    "owner": {"LOGIN", "INHERIT", "CREATEDB"},
    "app": {"LOGIN", "INHERIT"},
    "operator": {"LOGIN", "INHERIT"},
    "backup": {"LOGIN", "INHERIT", "BYPASSRLS"},
    "resolver": {"INHERIT"},
    "auditor": {"INHERIT"},
}
# The refresh of a token holds its row lock over an HTTP call of up to 60 s: idle time-outs stay well above it.
_SETTINGS = {
    "app": {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "120s"},
    "operator": {"statement_timeout": "30s", "idle_in_transaction_session_timeout": "120s"},
    "backup": {"default_transaction_read_only": "on"},
}
EXTENSIONS = ("pg_trgm", "btree_gin")


@dataclass(frozen=True)
class RoleUrls:
    """postgresql:// URLs of one database, with passwords in them, for the four roles that log in."""

    owner: str = field(repr=False)
    app: str = field(repr=False)
    operator: str = field(repr=False)
    backup: str = field(repr=False)


def ensure_roles(
    superuser_url: str, *, database: str, passwords: RolePasswords, prefix: str = DEFAULT_PREFIX
) -> RoleUrls:
    """Create or correct the roles and the database, and return the URLs; running it again changes nothing.

    Raises psycopg.Error when the server refuses, such as for a log-in that is not a superuser's.
    """
    with psycopg.connect(superuser_url) as connection:
        # Two web containers may start at once; ALTER ROLE by both would fail with "tuple concurrently updated".
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('labportal.roles'))")
        for role in _GRANTED:
            _ensure_role(connection, prefix, role)
        for login, password in asdict(passwords).items():
            _set_password(connection, f"{prefix}_{login}", password)
        _ensure_memberships(connection, prefix)
    _ensure_database(superuser_url, database, f"{prefix}_owner")
    with psycopg.connect(_with_database(superuser_url, database)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext('labportal.roles'))")
        _ensure_grants(connection, database, prefix)
    return RoleUrls(
        **{
            login: role_url(superuser_url, user=f"{prefix}_{login}", password=password, database=database)
            for login, password in asdict(passwords).items()
        }
    )


def _ensure_role(connection: psycopg.Connection, prefix: str, role: str) -> None:
    name = f"{prefix}_{role}"
    query = sql.SQL("SELECT {} FROM pg_roles WHERE rolname = %s").format(
        sql.SQL(", ").join(map(sql.Identifier, _ATTRIBUTES))
    )
    found = connection.execute(query, [name]).fetchone()
    if found is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
        found = connection.execute(query, [name]).fetchone()
    assert found is not None
    # Only what differs: a managed server's master role may not even repeat NOSUPERUSER.
    for attribute, has in zip(_ATTRIBUTES.values(), found, strict=True):
        if has != (attribute in _GRANTED[role]):
            words = attribute if not has else f"NO{attribute}"
            connection.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(name), sql.SQL(words)))
    for setting, value in _SETTINGS.get(role, {}).items():
        statement = sql.SQL("ALTER ROLE {} SET {} = {}")
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(setting), sql.Literal(value)))


def _set_password(connection: psycopg.Connection, name: str, password: str) -> None:
    # Hashed here, so that the password itself cannot reach the server's log.
    verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), sql.Literal(verifier)))


def _ensure_memberships(connection: psycopg.Connection, prefix: str) -> None:
    names = {role: sql.Identifier(f"{prefix}_{role}") for role in _GRANTED}
    # The owner may hand functions to these two and drop them, but has none of their rights without SET ROLE.
    for holder in ("resolver", "auditor"):
        connection.execute(
            sql.SQL("GRANT {holder} TO {owner} WITH INHERIT FALSE, SET TRUE").format(
                holder=names[holder], owner=names["owner"]
            )
        )
    connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(names["backup"]))


def _ensure_database(superuser_url: str, database: str, owner: str) -> None:
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'")
            # Another process may be faster between the look and the statement.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(statement.format(sql.Identifier(database), sql.Identifier(owner)))


def _ensure_grants(connection: psycopg.Connection, database: str, prefix: str) -> None:
    here = sql.Identifier(database)
    logins: Iterable[sql.Identifier] = [sql.Identifier(f"{prefix}_{role}") for role in ("app", "operator", "backup")]
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(here, sql.Identifier(f"{prefix}_owner")))
    # ALL is CONNECT and TEMPORARY: a temporary table could shadow one that a SECURITY DEFINER function reads.
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(here))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(here, sql.SQL(", ").join(logins)))
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    for extension in EXTENSIONS:  # trusted ones: in a test database the owner creates them itself
        connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(extension)))


def _with_database(superuser_url: str, database: str) -> str:
    return make_conninfo(superuser_url, dbname=database)


def role_url(superuser_url: str, *, user: str, password: str, database: str) -> str:
    """The superuser's URL with another log-in; host, port, TLS and all else stay as they are."""
    rest = {key: str(value) for key, value in conninfo_to_dict(superuser_url).items() if value is not None}
    for replaced in ("user", "password", "dbname", "passfile"):
        rest.pop(replaced, None)
    # A socket's folder stands in `host=`: as a URL's host name it would lose its capitals.
    host = "" if rest.get("host", "/").startswith("/") else rest.pop("host")
    where = f"[{host}]" if ":" in host else quote(host, safe=",")
    if port := rest.pop("port", ""):
        where = f"{where}:{port}"
    query = f"?{urlencode(rest, quote_via=quote)}" if rest else ""
    return f"postgresql://{quote(user)}:{quote(password, safe='')}@{where}/{quote(database)}{query}"


def _known_passwords(folder: Path) -> RolePasswords:
    """The passwords of an earlier run's files; new ones for those that are missing."""
    found = {}
    for role in fields(RolePasswords):
        file = folder / role.name / "url"
        known = urlsplit(file.read_text().strip()).password if file.exists() else None
        found[role.name] = unquote(known) if known else new_password()
    return RolePasswords(**found)


def main(arguments: list[str] | None = None) -> int:
    """The command described at the top of this module."""
    parser = argparse.ArgumentParser(prog="python -m labportal.roles", description="Create a portal's database roles.")
    parser.add_argument("--superuser-url-file", type=Path, required=True, help="file with a postgresql:// URL")
    parser.add_argument("--out", type=Path, required=True, help="folder to write <role>/url files to")
    parser.add_argument("--database", default=DEFAULT_DATABASE)
    parser.add_argument("--prefix", default=DEFAULT_PREFIX)
    options = parser.parse_args(arguments)
    passwords = _known_passwords(options.out)
    superuser_url = options.superuser_url_file.read_text().strip()
    try:
        urls = ensure_roles(superuser_url, database=options.database, passwords=passwords, prefix=options.prefix)
    except psycopg.Error as error:
        sys.stderr.write(f"The roles could not be created: {error}\n")
        return 1
    for role in fields(urls):
        write_private(options.out / role.name / "url", getattr(urls, role.name) + "\n")
    sys.stdout.write(f"Roles {options.prefix}_* and database {options.database} are ready; URLs in {options.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
