"""A portal that is backed up on one machine and restored on another, and what its labs have."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from connector.orders import store
from connector.orders.models import Revision
from labportal.env import read_instance
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from tests import spare_database
from tests.database import NAME
from tests.intake.desk import point_scans_at
from tests.orders.make import make_order, make_pairing
from tests.orders.stored import put_in_store, zip_bytes

RESTORED = "test_restored"


@dataclass
class Machine:
    """The portal as it was, and the one that it is restored to."""

    folder: Path
    settings: Any

    def move(self) -> None:
        """To another machine: a fresh database, an empty disk."""
        spare_database.create(RESTORED)
        spare_database.point_at(RESTORED)
        point_scans_at(self.settings, self.folder / "new-disk")

    def backup(self, *options: str) -> Path:
        target = self.folder / "backup"
        call_command("backup", str(target), *options, stdout=io.StringIO())
        return target

    def restore(self) -> str:
        out = io.StringIO()
        call_command("restore", str(self.folder / "backup"), stdout=out)
        return out.getvalue()


@pytest.fixture
def machine(committed: None, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    point_scans_at(settings, tmp_path / "disk")
    settings.AUDIT_ANCHORS_DIR = tmp_path / "anchors"
    url = read_instance()["DATABASE_BACKUP_URL"].replace("/labportal?", f"/{NAME}?")
    monkeypatch.setenv("DATABASE_BACKUP_URL", url)
    yield Machine(tmp_path, settings)
    spare_database.drop(RESTORED)


def keep(lab: Lab, folder: Path, order_id: str) -> Revision:
    return put_in_store(lab, make_order(lab, make_pairing(lab), order_id), folder, zip_bytes())


def cases(lab: Lab) -> list[tuple[Any, ...]]:
    """What a lab has, with the hash of each zip's bytes as they lie on the disk."""
    with in_lab(lab.pk):
        rows = list(Revision.objects.of(lab).select_related("order").order_by("order__order_id", "number"))
        assert Revision.objects.count() == len(rows), "another lab's rows are in sight"
    return [(row.pk, row.order.order_id, row.order.patient, row.sha256, hash_of(row)) for row in rows]


def hash_of(revision: Revision) -> str:
    with store.open_stored(revision.archive) as file:
        return hashlib.sha256(file.read()).hexdigest()
