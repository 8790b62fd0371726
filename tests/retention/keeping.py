"""A case that is to go, time passing over it, and what is left of it anywhere."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from connector.orders.models import Order, Revision
from connector.retention.models import CaseHold, LabHold, RetentionPolicy
from connector.returns.models import Return
from labportal.keeping.programs import backup_connection, program, way_to
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from tests.intake.desk import Desk

CANARY = "ZZCANARY"


def keep_for(lab: Lab, days: int | None) -> RetentionPolicy:
    """A policy that is in force since long."""
    with in_lab(lab.pk):
        return RetentionPolicy.objects.create(lab=lab, days=days, starts_at=timezone.now() - timedelta(days=9))


def age(lab: Lab, order_id: str, days: int, **changes: Any) -> None:
    """The case's last scan came in so many days ago."""
    with in_lab(lab.pk):
        then = timezone.now() - timedelta(days=days)
        Order.objects.of(lab).filter(order_id=order_id).update(received_at=then, **changes)


def tombstone(lab: Lab, order_id: str) -> Order:
    with in_lab(lab.pk):
        return Order.with_erased.of(lab).get(order_id=order_id)


def revisions_of(order: Order) -> list[Revision]:
    with in_lab(order.lab_id):
        return list(Revision.objects.of(order.lab_id).filter(order=order).order_by("number"))


def hold(lab: Lab, order: Order | None) -> CaseHold | LabHold:
    with in_lab(lab.pk):
        if order is None:
            return LabHold.objects.create(lab=lab, reason="court")
        return CaseHold.objects.create(lab=lab, order=order, reason="court")


def whole_database() -> str:
    """Every row of every lab, as a backup holds them."""
    way = backup_connection() | {"NAME": connections["default"].settings_dict["NAME"]}
    done = subprocess.run([program("pg_dump"), "--no-password"], env=way_to(way), capture_output=True, check=True)
    return done.stdout.decode()


def bytes_with(folder: Path, content: bytes) -> list[Path]:
    """Files under the folder that hold this content."""
    return [path for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()]


@pytest.fixture
def taken_in(desk: Desk) -> str:
    """A case with its files here, whose patient has a name like no other."""
    order_id = desk.arrives()
    desk.take_in()
    with in_lab(desk.lab.pk):
        Order.objects.of(desk.lab).filter(order_id=order_id).update(
            patient_last=CANARY, notes=f"{CANARY} note", doctor=CANARY, practice=CANARY, summary=CANARY
        )
        order = Order.objects.of(desk.lab).get(order_id=order_id)
        Return.objects.create(
            lab=desk.lab, order=order, revision=order.revisions.get(), reason="bite", comment=CANARY, state="refused"
        )
    desk.browser.get(f"/cases/{order.pk}")
    return order_id
