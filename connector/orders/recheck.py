"""Every stored zip is hashed again by itself, each SCANS_CHECKED_DAYS days at least: what nobody opens rots unseen.

A turn a minute in all of the installation, oldest look first, so many bytes a turn. A worker takes a revision by its
lease; were one hashed twice all the same, that would only cost time.
"""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from connector.orders.models import HAS_FILES, Revision
from connector.orders.repair import look_after
from labportal.doorbell import ring
from labportal.labs.tenancy import in_lab
from labportal.running import heartbeat

EVERY = timedelta(seconds=50)  # the tick comes each half minute, and rings each time
BYTES_A_TURN, SCANS_A_TURN = 1 << 30, 200
LEASE = timedelta(minutes=10)
HASHED_A_SECOND = 10_000_000  # bytes that even a slow machine reads and hashes in a second
TURN = "recheck"


def sweep() -> None:
    """Ring if any zip's time has come."""
    if _due(1):
        ring("connector.orders.tasks.recheck", cluster="downloads")


def turn() -> int:
    """Look after those whose last look is oldest; how many were hashed. Rings that piled up while all workers were busy
    end at once."""
    if not heartbeat.claim(TURN, EVERY):
        return 0
    looked, left = 0, BYTES_A_TURN
    for lab_id, revision_id, size in _due(SCANS_A_TURN):
        if looked and size > left:
            break
        if _claimed(lab_id, revision_id, size):
            look_after(lab_id, revision_id)
            looked, left = looked + 1, left - size
    return looked


def _due(limit: int) -> list[tuple[UUID, UUID, int]]:
    """(lab, revision, bytes), oldest look first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve.due_checks(%s, %s)", [settings.SCANS_CHECKED_DAYS, limit])
        rows: list[tuple[UUID, UUID, int]] = cursor.fetchall()
    return rows


def _claimed(lab_id: UUID, revision_id: UUID, size: int) -> bool:
    """A lease that nobody ends but time stays on what is missing or can't be read, so that it does not come up at
    each turn."""
    with in_lab(lab_id):
        free = Revision.objects.of(lab_id).filter(
            Q(lease_until=None) | Q(lease_until__lt=Now()), pk=revision_id, state__in=HAS_FILES
        )
        return bool(free.update(lease_until=Now() + LEASE + timedelta(seconds=size / HASHED_A_SECOND)))
