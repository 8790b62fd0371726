"""Fixtures for every test: the database as the walled app role, the cast, browsers and clients of its people.

`db` (pytest-django) rolls a test's work back; `committed` is for tests with several connections or processes: its work
is really committed and every table but the cast's is emptied afterwards.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from labportal.labs.models import User
from tests.align import align, start_align  # noqa: F401 - fixtures
from tests.browser_guard import (  # noqa: F401 - pytest hooks
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.cast import Cast, make_cast, restore
from tests.database import NAME
from tests.mails import mails  # noqa: F401 - a fixture
from tests.quick import _quick, passwords_as_they_run, static_files_as_they_run  # noqa: F401 - fixtures

CAST_TABLES = ("labs_lab", "labs_membership", "labs_user", "account_emailaddress")
# The audit is append-only for the tests too: they look at what came after a mark (tests/audit/conftest.py).
AUDIT_TABLES = ("audit_entry", "audit_head")
KEPT_TABLES = (
    *CAST_TABLES,
    *AUDIT_TABLES,
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "django_q_schedule",
)
# The tables with bytes, whatever rows the owner may see; to empty all of them would be half of a test's time.
WRITTEN = (
    "SELECT relname FROM pg_class "
    "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0"
)


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """Make the test database as owner, fresh for each run; then run in it as app."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connections

    shutil.rmtree(settings.AUDIT_ANCHORS_DIR, ignore_errors=True)  # they speak of the run before, whose rows are gone
    with django_db_blocker.unblock():
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {NAME} TEMPLATE template0 ENCODING 'UTF8'")
            # As labportal/roles.py does for the real database.
            cursor.execute(f"REVOKE ALL ON DATABASE {NAME} FROM PUBLIC")
            cursor.execute(f"GRANT CONNECT ON DATABASE {NAME} TO portal_app, portal_operator, portal_backup")
        for alias in connections:
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = NAME
        call_command("migrate", database="owner", verbosity=0)
        call_command("createcachetable", database="owner", verbosity=0)


@pytest.fixture(scope="session")
def cast(django_db_setup: None, django_db_blocker: Any) -> Cast:
    with django_db_blocker.unblock():
        return make_cast()


@pytest.fixture
def committed(cast: Cast, django_db_blocker: Any) -> Iterator[None]:
    """Real commits; afterwards every table but the cast's is emptied, by the owner role."""
    from django.db import connections

    with django_db_blocker.unblock():
        yield
        with connections["owner"].cursor() as cursor:
            cursor.execute(WRITTEN)
            if written := [name for (name,) in cursor.fetchall() if name not in KEPT_TABLES]:
                cursor.execute(f"TRUNCATE {', '.join(written)} CASCADE")
        restore(cast)
        for alias in connections:
            connections[alias].close()


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A test client of one of the cast, signed in a moment ago as by password."""

    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        session = client.session
        session["account_authentication_methods_user"] = str(user.pk)
        session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
        session.save()
        return client

    return signed_in
