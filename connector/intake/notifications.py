"""The notification inbox: a durable row, then 202; the look-up by RxID is a worker's (look_up.py)."""

import hmac
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from connector.intake.models import Notification, UnroutedNotification
from connector.intake.pairing_row import mark
from connector.itero import ScanNotification, read_notification
from connector.itero.errors import BadNotification
from connector.pairing import vendor
from connector.pairing.connect import account_link
from connector.pairing.models import callback_hash
from labportal.doorbell import ring
from labportal.faults import fault
from labportal.labs.tenancy import in_lab

RX_ID_MAX = 64


class UnknownAddress(Exception):
    """The secret in the address is nobody's."""


def accept(secret: str, body: bytes) -> None:
    """Commit a push. Errors: UnknownAddress, BadNotification (nothing stored)."""
    if settings.NOTIFICATION_SECRET and hmac.compare_digest(secret.encode(), settings.NOTIFICATION_SECRET.encode()):
        _accept_for_installation(_read(body))
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id FROM resolve.callback(%s)", [callback_hash(secret)])
        found = cursor.fetchone()
    if found is None:
        raise UnknownAddress
    keep(found[0], found[1], _read(body).rx_id)


def _read(body: bytes) -> ScanNotification:
    push = read_notification(body, vendor.profile())
    if len(push.rx_id) > RX_ID_MAX:
        raise BadNotification("the RxID is longer than one can be")
    return push


def keep(lab_id: UUID, pairing_id: UUID, rx_id: str) -> None:
    """One waiting row for each RxID: a hundred equal pushes are one look-up."""
    with in_lab(lab_id):
        made = Notification.objects.bulk_create(
            [Notification(lab_id=lab_id, pairing_id=pairing_id, rx_id=rx_id)], ignore_conflicts=True
        )
        if Notification.objects.of(lab_id).filter(pk=made[0].pk).exists():
            ring_look_up(lab_id, pairing_id)
            mark(lab_id, pairing_id, notified_at=timezone.now())
        fault("notification.before_commit")
    fault("notification.after_commit")


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
