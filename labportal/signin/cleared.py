"""Clearing away sessions that are over: nobody comes back to their rows, which hold what was searched for (sealed), and
which browser and address somebody came by."""

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from labportal.running import heartbeat

EVERY = timedelta(hours=1)
BATCH, BATCHES = 1000, 20


def sweep() -> None:
    """Once an hour, in one of all processes."""
    if heartbeat.claim("sessions", EVERY):
        clear()


def clear() -> int:
    """How many rows are gone. What is left over waits for the next hour."""
    return sum(_in_batches(rows) for rows in (_sessions(), _browsers()))


def _sessions() -> QuerySet[Any]:
    return Session.objects.filter(expire_date__lt=timezone.now()).order_by()


def _browsers() -> QuerySet[Any]:
    """Those of sessions that are gone, but no younger than a session can live: while a session gets another key, its
    browser is without one for an instant, and whoever is to be signed out is found by it."""
    longest = timedelta(hours=settings.SESSION_MAX_HOURS)
    theirs = Session.objects.filter(pk=OuterRef("session_key"))
    old: QuerySet[Any] = UserSession.objects.filter(created_at__lt=timezone.now() - longest).order_by()
    return old.filter(~Exists(theirs))


def _in_batches(rows: QuerySet[Any]) -> int:
    gone = 0
    for _ in range(BATCHES):
        some = list(rows.values_list("pk", flat=True)[:BATCH])
        gone += rows.filter(pk__in=some).delete()[0]
        if len(some) < BATCH:
            break
    return gone
