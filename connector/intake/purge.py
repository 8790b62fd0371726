"""Clearing away the record of boring ends: runs and dealt-with notifications of more than RUNS_KEPT_DAYS days.

A run each five minutes is a hundred thousand rows a year for a connection. What a page or the ledger stands on stays:
each connection's last run, what still waits, every reconciliation. Orders are none of this module's business.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django_q.models import Task

from connector.intake.models import Notification, NotificationState, SyncRun
from connector.pairing.alarm import Alarm
from labportal.doorbell import ring
from labportal.labs.models import LabQuerySet
from labportal.labs.tenancy import in_lab
from labportal.running import heartbeat

EVERY = timedelta(hours=1)
SHOWN_DAYS = 15  # pages look back so far
LABS_AT_ONCE = 200
BATCH, BATCHES = 1000, 20
ENDED = (NotificationState.DONE, NotificationState.UNKNOWN)


def ring_purge() -> None:
    """Once an hour, in one of all processes: ring for the labs that have old rows."""
    if not heartbeat.claim("purge", EVERY):
        return
    Task.objects.filter(stopped__lt=_limit()).delete()  # failed tasks: type and code
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id FROM resolve.labs_with_old_runs(%s, %s)", [_days(), LABS_AT_ONCE])
        labs: list[tuple[UUID]] = cursor.fetchall()
    for (lab_id,) in labs:
        ring("connector.intake.tasks.purge", lab_id)


def purge(lab_id: UUID) -> int:
    """Delete one lab's old rows in small transactions; how many. What is left over waits for the next hour."""
    return sum(_in_batches(lab_id, rows) for rows in _old(lab_id, _limit()))


def _days() -> int:
    return max(int(settings.RUNS_KEPT_DAYS), SHOWN_DAYS)


def _limit() -> datetime:
    return timezone.now() - timedelta(days=_days())


def _old(lab_id: UUID, limit: datetime) -> list[LabQuerySet[Any]]:
    newer = SyncRun.objects.filter(
        lab_id=OuterRef("lab_id"), pairing_id=OuterRef("pairing_id"), started_at__gt=OuterRef("started_at")
    )
    return [
        SyncRun.objects.of(lab_id).filter(Q(ended_at__lt=limit) & Exists(newer)).order_by(),
        Notification.objects.of(lab_id).filter(state__in=ENDED, received_at__lt=limit),
        Alarm.objects.of(lab_id).filter(ended_at__lt=limit).order_by(),
    ]


def _in_batches(lab_id: UUID, rows: LabQuerySet[Any]) -> int:
    gone = 0
    for _ in range(BATCHES):
        with in_lab(lab_id):
            some = list(rows.values_list("pk", flat=True)[:BATCH])
            rows.model._default_manager.filter(lab_id=lab_id, pk__in=some).delete()
        gone += len(some)
        if len(some) < BATCH:
            break
    return gone
