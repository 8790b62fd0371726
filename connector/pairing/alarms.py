"""Telling a lab's owners by ONE mail that a connection stopped, or brought nothing in for too long.

A row is the alarm (alarm.py); the database allows one open row a pairing, whoever looks and however many do. Rung where
a pairing stops (trouble.py), found again by the tick, and looked for by the web process when no tick comes: a dead
worker can't mail that it is dead.

The mail goes out at least once: a worker claims the row for some minutes, sends, and notes it. If it dies in between,
the mail is tried again; both copies then carry one Message-ID, which mail programs show once.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from connector.pairing.alarm import Alarm, AlarmKind
from connector.pairing.alarm_mail import send
from connector.pairing.models import Pairing, State
from connector.pairing.portal_trouble import portal_trouble
from connector.pairing.silence import cause, last_sign, longest_silence, silent_for
from connector.pairing.trouble import back_off
from labportal.audit.services import record
from labportal.doorbell import ring
from labportal.keeping import safe_mode
from labportal.labs.tenancy import in_lab

log = logging.getLogger(__name__)

AT_ONCE = 100
CLAIM = timedelta(minutes=5)  # longer than any mail server lets us wait (EMAIL_TIMEOUT for each of its answers)
NO_OWNER = timedelta(hours=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.get_default_timezone())


class Wanted(NamedTuple):
    """The alarm that a pairing's state calls for."""

    kind: AlarmKind
    code: str
    since: datetime


def ring_due() -> None:
    """Ring for the pairings whose alarm is to be raised, told or ended."""
    for lab_id, pairing_id in _due():
        ring("connector.pairing.tasks.alarm", lab_id, pairing_id)


def look_at_due() -> None:
    """The same without a worker: for the web process, when no tick comes."""
    for lab_id, pairing_id in _due():
        look(lab_id, pairing_id)


def look(lab_id: UUID, pairing_id: UUID) -> None:
    """Raise, tell or end the pairing's alarm. Safe to run twice, at once, and again after a crash. No transaction is
    open. A restored copy of a portal tells nobody: it may be a drill."""
    if safe_mode.is_on():
        return
    open_id = _settle(lab_id, pairing_id)
    if open_id is not None:
        _tell(lab_id, open_id)


def _due() -> list[tuple[UUID, UUID]]:
    if safe_mode.is_on():
        return []
    with connection.cursor() as cursor:
        seconds = settings.SYNC_ALARM_MINUTES * 60
        cursor.execute("SELECT lab_id, pairing_id FROM resolve.due_alarms(%s, %s)", [seconds, AT_ONCE])
        rows: list[tuple[UUID, UUID]] = cursor.fetchall()
    return rows


def _wanted(pairing: Pairing, now: datetime) -> Wanted | None:
    """By the same rule as resolve.due_alarms finds candidates (migration 0005)."""
    if pairing.state == State.NEEDS_PAIRING:
        since = pairing.reason_at or last_sign(pairing) or EPOCH
        return Wanted(AlarmKind.STOPPED, pairing.reason, since)
    last = last_sign(pairing)
    if last is not None and silent_for(pairing, now) > longest_silence(pairing):
        return Wanted(AlarmKind.SILENT, cause(pairing, portal_trouble()), last)
    return None


def _settle(lab_id: UUID, pairing_id: UUID) -> UUID | None:
    """Let the open row be the one that the pairing's state calls for; its id while its mail is owed."""
    with in_lab(lab_id):
        now = timezone.now()
        pairing = Pairing.objects.of(lab_id).get(pk=pairing_id)
        wanted = _wanted(pairing, now)
        rows = Alarm.objects.of(lab_id).filter(pairing_id=pairing_id, ended_at=None)
        if wanted is None:
            rows.update(ended_at=now)
            return None
        rows.exclude(kind=wanted.kind, since=wanted.since).update(ended_at=now)
        try:
            with transaction.atomic():
                alarm, _ = rows.get_or_create(defaults={"lab_id": lab_id, "pairing_id": pairing_id, **wanted._asdict()})
        except IntegrityError:
            return None  # another one raised it this moment, and tells it
        return alarm.pk if alarm.told_at is None else None


def _tell(lab_id: UUID, alarm_id: UUID) -> None:
    """Claim the mail, send it without a transaction, and note what became of it."""
    with in_lab(lab_id):
        row = Alarm.objects.of(lab_id).filter(pk=alarm_id, told_at=None, ended_at=None)
        if not row.filter(next_due__lte=Now()).update(next_due=Now() + CLAIM, attempts=F("attempts") + 1):
            return
        alarm = row.select_related("pairing", "lab").get()
    try:
        told, error = send(alarm), ""
    except (OSError, SMTPException) as failed:
        told, error = 0, type(failed).__name__
        log.error("alarm_mail_failed %s %s", alarm_id, error)
    with in_lab(lab_id):
        if told:
            row.update(told_at=Now(), told=told, mail_error="")
            record(
                "pairing.owners_told",
                lab_id=lab_id,
                target=alarm.pairing,
                kind=alarm.kind,
                code=alarm.code,
                owners=told,
            )
        else:
            wait = timedelta(seconds=back_off(alarm.attempts)) if error else NO_OWNER
            row.update(next_due=Now() + wait, mail_error=error or "no_owner")
