"""The notification inbox: a durable row, then 202; the look-up by RxID is a worker's (look_up.py)."""

import hmac
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from connector.intake.models import UnroutedNotification
from connector.intake.pairing_row import mark
from connector.itero import ScanNotification, read_notification
from connector.itero.errors import BadNotification
from connector.pairing import vendor
from connector.pairing.callbacks import callback_hash
from connector.pairing.connect import account_link
from labportal.doorbell import ring
from labportal.faults import fault
from labportal.labs.routers import as_app
from labportal.labs.tenancy import in_lab

RX_ID_MAX = 64


class UnknownAddress(Exception):
    """The secret in the address is nobody's."""


def accept(secret: str, body: bytes) -> None:
    """Commit a push. Errors: UnknownAddress, BadNotification (nothing stored)."""
    if settings.NOTIFICATION_SECRET and hmac.compare_digest(secret.encode(), settings.NOTIFICATION_SECRET.encode()):
        _accept_for_installation(_read(body))
        return
    try:
        push = _read(body)
    except BadNotification:
        if not _is_known(secret):
            raise UnknownAddress from None
        raise
    if not _keep("resolve.callback(%s)", [callback_hash(secret)], push.rx_id):
        raise UnknownAddress


def _is_known(secret: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM resolve.callback(%s)", [callback_hash(secret)])
        return cursor.fetchone() is not None


def _read(body: bytes) -> ScanNotification:
    push = read_notification(body, vendor.profile())
    if len(push.rx_id) > RX_ID_MAX:
        raise BadNotification("the RxID is longer than one can be")
    return push


def keep(lab_id: UUID, pairing_id: UUID, rx_id: str) -> None:
    """One waiting row for each RxID: a hundred equal pushes are one look-up."""
    _keep("(SELECT %s::uuid AS lab_id, %s::uuid AS pairing_id)", [lab_id, pairing_id], rx_id)


def _keep(whose: str, values: list[UUID] | list[str], rx_id: str) -> bool:
    """Commit a push of the pairing that `whose` (SQL of ours) selects; False when it selects none.

    Only the first of many fresh pushes rings: each ring is a task, and a thousand would hold up the other labs' tasks.
    """
    query = f"SELECT w.lab_id, w.pairing_id, k.* FROM {whose} w, intake_keep_push(w.lab_id, w.pairing_id, %s, %s) k"  # noqa: S608 - one of the two texts above
    with as_app(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(query, [*values, uuid4(), rx_id])
            found = cursor.fetchone()
        if found is None:
            return False
        lab_id, pairing_id, fresh, rung = found
        if fresh and not rung:
            with in_lab(lab_id):
                ring_look_up(lab_id, pairing_id)
                mark(lab_id, pairing_id, notified_at=timezone.now())
        fault("notification.before_commit")
    fault("notification.after_commit")
    return True


def ring_look_up(lab_id: UUID, pairing_id: UUID) -> None:
    ring("connector.intake.tasks.look_up", lab_id, pairing_id)


def _accept_for_installation(push: ScanNotification) -> None:
    link = account_link(push.account_id) if push.account_id else None
    if link is not None:
        keep(link[0], link[1], push.rx_id)
        return
    with transaction.atomic():
        made = UnroutedNotification.objects.bulk_create([UnroutedNotification(rx_id=push.rx_id)], ignore_conflicts=True)
        if UnroutedNotification.objects.filter(pk=made[0].pk).exists():
            ring("connector.intake.tasks.route_unrouted")
