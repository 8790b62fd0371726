"""A portal of before decision 0034 is upgraded: the addresses that Align has go on, their sealed secrets are gone."""

import uuid
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.migrations.loader import MigrationLoader

from tests import spare_database

BEFORE = ("pairing", "0006_reconnected_at")
LAB, PAIRING = uuid.uuid4(), uuid.uuid4()


@pytest.fixture
def upgraded(committed: None) -> Iterator[None]:
    spare_database.create("test_upgraded")
    try:
        spare_database.point_at("test_upgraded")
        call_command("migrate", *BEFORE, database="owner", verbosity=0)
        old = MigrationLoader(connections["owner"]).project_state([BEFORE]).apps
        old.get_model("labs", "Lab").objects.using("operator").create(id=LAB, name="Lab A", slug="lab-a")
        old.get_model("pairing", "Pairing").objects.using("operator").create(
            id=PAIRING, lab_id=LAB, account_id="479", callback_hash="h" * 64, sealed_callback="k1:old-secret"
        )
        assert resolved("h" * 64) == [(LAB, PAIRING)]
        call_command("migrate", database="owner", verbosity=0)
        yield
    finally:
        spare_database.drop("test_upgraded")


def resolved(digest: str) -> list[tuple[uuid.UUID, uuid.UUID]]:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id FROM resolve.callback(%s)", [digest])
        return list(cursor.fetchall())


def test_the_address_goes_on_and_its_secret_is_gone(upgraded: None) -> None:
    assert resolved("h" * 64) == [(LAB, PAIRING)]
    assert resolved("x" * 64) == []
    with connections["operator"].cursor() as cursor:
        cursor.execute("SELECT pairing_pairing::text, told_callback_hashes FROM pairing_pairing")
        [(row, told)] = cursor.fetchall()
    assert "old-secret" not in row
    assert told == []
