"""Finding due work again from our own tables: the safety net under every lost ring."""

from uuid import UUID

from django.db import connection

from connector.intake.download import ring_download, ring_examine
from connector.intake.models import UnroutedNotification
from connector.intake.purge import ring_purge
from connector.intake.reconcile import ring_due
from labportal.doorbell import ring

AT_ONCE = 500
DOORS = {
    "poll": "connector.intake.tasks.poll",
    "look_up": "connector.intake.tasks.look_up",
    "unpair": "connector.pairing.tasks.unpair",
    "release": "connector.pairing.tasks.release",
}


def sweep() -> None:
    """Ring for every pairing and revision that is due; the labs take turns, so none waits behind a busy one."""
    for kind, lab_id, row_id in _due():
        if kind == "download":
            ring_download(lab_id, row_id)
        elif kind == "examine":
            ring_examine(lab_id, row_id)
        else:
            ring(DOORS[kind], lab_id, row_id)
    if UnroutedNotification.objects.exists():
        ring("connector.intake.tasks.route_unrouted")
    ring_due()
    ring_purge()


def _due() -> list[tuple[str, UUID, UUID]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT kind, lab_id, row_id FROM resolve.due_work(%s)", [AT_ONCE])
        rows: list[tuple[str, UUID, UUID]] = cursor.fetchall()
    return rows
