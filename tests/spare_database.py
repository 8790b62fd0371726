"""A second database beside the tests' own, for what needs an empty one: a restore, an upgrade."""

import time

from django.db import ProgrammingError, connections

from tests.database import NAME


def create(name: str) -> None:
    """As labportal/roles.py makes the real one, without tables."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        cursor.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
        cursor.execute(f"GRANT CONNECT ON DATABASE {name} TO portal_app, portal_operator, portal_backup")


def point_at(name: str) -> None:
    for alias in connections:
        connections[alias].close()
        connections[alias].settings_dict["NAME"] = name


def drop(name: str) -> None:
    """Back to the tests' own, and away with it."""
    point_at(NAME)
    for left in reversed(range(20)):
        try:
            with connections["owner"].cursor() as cursor:
                cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            break
        except ProgrammingError:  # an autovacuum worker is in it, whom the owner role may not end
            if not left:
                raise
            time.sleep(0.5)
