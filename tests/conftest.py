"""The fixed cast: owner, technician and viewer of lab A, owner of lab B. Every feature is tried by lab B too."""

from typing import Any

import pytest


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> None:
    """Make the test database as owner, fresh for each run; then run in it as app."""
    from django.core.management import call_command
    from django.db import connections

    name = "test_labportal"
    with django_db_blocker.unblock():
        with connections["owner"].cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        for alias in connections:
            connections[alias].close()
            connections[alias].settings_dict["NAME"] = name
        call_command("migrate", database="owner", verbosity=0)
        call_command("createcachetable", database="owner", verbosity=0)
