"""The notification inbox: a durable row, then 202; the look-up by RxID is a worker's."""

import hmac
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from connector.intake.download import ring_download
from connector.intake.models import Notification, NotificationState, RunStatus, SyncRun, UnroutedNotification
from connector.intake.record import record_order
from connector.itero import ScanNotification, read_notification
from connector.itero.errors import IteroError, NotFound
from connector.pairing import vendor
from connector.pairing.access import PairingStopped, call
from connector.pairing.connect import account_link
from connector.pairing.models import Pairing, callback_hash
from labportal.doorbell import ring, ring_tick
from labportal.labs.tenancy import in_lab

BATCH = 50
TRIES = 5
ASK_AT_MOST = 200
STUCK = timedelta(minutes=10)


class UnknownAddress(Exception):
    """The secret in the address is nobody's."""


def accept(secret: str, body: bytes) -> None:
    """Commit a push. Errors: UnknownAddress, BadNotification (nothing stored)."""
    if settings.NOTIFICATION_SECRET and hmac.compare_digest(secret.encode(), settings.NOTIFICATION_SECRET.encode()):
        _accept_for_installation(read_notification(body, vendor.profile()))
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id FROM resolve.callback(%s)", [callback_hash(secret)])
        found = cursor.fetchone()
    if found is None:
        raise UnknownAddress
    _store(found[0], found[1], read_notification(body, vendor.profile()).rx_id)


def _store(lab_id: UUID, pairing_id: UUID, rx_id: str) -> None:
    """One waiting row for each RxID: a hundred equal pushes are one look-up."""
    now = timezone.now()
    with in_lab(lab_id):
        made = Notification.objects.bulk_create(
            [Notification(lab_id=lab_id, pairing_id=pairing_id, rx_id=rx_id)], ignore_conflicts=True
        )
        stored = Notification.objects.of(lab_id).filter(pk=made[0].pk).exists()
        Pairing.objects.of(lab_id).filter(pk=pairing_id, notified_at__lt=now - timedelta(seconds=5)).update(
            notified_at=now
        )
        Pairing.objects.of(lab_id).filter(pk=pairing_id, notified_at=None).update(notified_at=now)
        if stored:
            ring("connector.intake.tasks.look_up", lab_id, pairing_id)


def _accept_for_installation(push: ScanNotification) -> None:
    link = account_link(push.account_id) if push.account_id else None
    if link is not None:
        _store(link[0], link[1], push.rx_id)
        return
    with transaction.atomic():
        UnroutedNotification.objects.bulk_create([UnroutedNotification(rx_id=push.rx_id)], ignore_conflicts=True)
        ring_tick()


def look_up(lab_id: UUID, pairing_id: UUID) -> None:
    """Ask Align for each waiting RxID, record what it says, and ring for the downloads."""
    batch = _take(lab_id, pairing_id)
    if not batch:
        return
    with in_lab(lab_id):
        pairing = Pairing.objects.of(lab_id).get(pk=pairing_id)
        run = SyncRun.objects.create(lab_id=lab_id, pairing=pairing, kind="notification", listed=len(batch))
    for push in batch:
        try:
            run.new += _look_up_one(pairing, push)
        except PairingStopped as stopped:
            _put_back(push, stopped.code, counted=False)
            run.reason = stopped.code
        except NotFound as error:
            # A push may be quicker than Align's own index; the poll is the net below this.
            _put_back(push, error.code, counted=True)
        except IteroError as error:
            _put_back(push, error.code, counted=True)
            run.reason = error.code
    run.status = RunStatus.FAILED if run.reason else RunStatus.NEW if run.new else RunStatus.NOTHING_NEW
    run.ended_at = timezone.now()
    with in_lab(lab_id):
        run.save()
    ring_download(lab_id, pairing_id)


def _take(lab_id: UUID, pairing_id: UUID) -> list[Notification]:
    """Waiting rows, and rows whose worker died: marked TAKEN, so that a push from now on is a new row."""
    now = timezone.now()
    with in_lab(lab_id):
        rows = Notification.objects.of(lab_id).filter(pairing_id=pairing_id)
        rows.filter(state=NotificationState.TAKEN, taken_at__lt=now - STUCK).exclude(
            rx_id__in=rows.filter(state=NotificationState.QUEUED).values("rx_id")
        ).update(state=NotificationState.QUEUED)
        batch = list(
            rows.filter(state=NotificationState.QUEUED)
            .select_for_update(skip_locked=True)
            .order_by("received_at")[:BATCH]
        )
        rows.filter(pk__in=[push.pk for push in batch]).update(state=NotificationState.TAKEN, taken_at=now)
    return batch


def _look_up_one(pairing: Pairing, push: Notification) -> bool:
    order = call(
        pairing.lab_id,
        pairing.pk,
        lambda a: a.client.get_order_by_rx_id(a.endpoints, access_token=a.access_token, rx_id=push.rx_id),
    )
    new = record_order(pairing, order, source="notification").new
    with in_lab(push.lab_id):
        Notification.objects.of(push.lab_id).filter(pk=push.pk).update(state=NotificationState.DONE, reason="")
    return new


def _put_back(push: Notification, reason: str, *, counted: bool) -> None:
    """Queue it again, or end it after TRIES; if an equal push came meanwhile, that one stands for both."""
    attempts = push.attempts + int(counted)
    with in_lab(push.lab_id):
        rows = Notification.objects.of(push.lab_id)
        twin = rows.filter(pairing_id=push.pairing_id, rx_id=push.rx_id, state=NotificationState.QUEUED).exists()
        state = NotificationState.UNKNOWN if attempts >= TRIES or twin else NotificationState.QUEUED
        rows.filter(pk=push.pk).update(state=state, reason=reason, attempts=attempts)


def route_unrouted() -> None:
    """Ask the active pairings, one after the other and a bounded number, whose RxID this is."""
    for push in UnroutedNotification.objects.order_by("received_at")[:10]:
        if _route(push.rx_id) or push.asked + 1 >= TRIES:
            push.delete()
        else:
            UnroutedNotification.objects.filter(pk=push.pk).update(asked=F("asked") + 1)


def _route(rx_id: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id FROM resolve.active_pairings(%s)", [ASK_AT_MOST])
        pairings: list[tuple[UUID, UUID]] = cursor.fetchall()
    for lab_id, pairing_id in pairings:
        try:
            call(lab_id, pairing_id, lambda a: a.client.get_order_by_rx_id(
                a.endpoints, access_token=a.access_token, rx_id=rx_id
            ))  # fmt: skip
        except (IteroError, PairingStopped):
            continue
        _store(lab_id, pairing_id, rx_id)
        return True
    return False
