"""Notification (the inbox of pushes), SyncRun (one row a run, the boring ones too)."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from connector.intake.bookkeeping import Dismissal, Reconciliation
from connector.pairing.models import Pairing
from labportal.labs.models import LabQuerySet, LabScoped

__all__ = [
    "Dismissal",
    "Notification",
    "NotificationState",
    "Reconciliation",
    "RunStatus",
    "SyncRun",
    "UnroutedNotification",
]


class NotificationState(models.TextChoices):
    """QUEUED until a worker takes it; a push after that is a new row, so none is missed."""

    QUEUED = "queued", "Waiting"
    TAKEN = "taken", "Being looked up"
    DONE = "done", "Done"
    UNKNOWN = "unknown", "Not known at Align"


class Notification(LabScoped):
    """A push from Align: "go and look at this RxID", nothing more; its payload is never trusted.

    Written by the function `intake_keep_push` (migration 0010): a new column that must be filled goes there too.
    """

    pairing_path = "pairing_id"

    pairing = models.ForeignKey(Pairing, on_delete=models.CASCADE, related_name="notifications")
    rx_id = models.CharField(max_length=64)
    state = models.CharField(max_length=12, default=NotificationState.QUEUED)
    reason = models.CharField(max_length=60, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    own_failures = models.PositiveIntegerField("failures that were not an outage's", default=0)
    received_at = models.DateTimeField(auto_now_add=True)
    taken_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["Notification"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lab", "pairing", "rx_id"], condition=Q(state="queued"), name="intake_notification_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(state__in=["queued", "taken"]), name="intake_notification_open"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


class UnroutedNotification(models.Model):
    """A push to the installation-wide address that names no account we know: looked up at the active pairings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rx_id = models.CharField(max_length=64, unique=True)
    received_at = models.DateTimeField(auto_now_add=True)
    asked = models.PositiveIntegerField("pairings asked so far", default=0)

    def __str__(self) -> str:
        return str(self.pk)


class RunStatus(models.TextChoices):
    RUNNING = "running", "Running"
    NEW = "new", "New cases"
    NOTHING_NEW = "nothing_new", "Nothing new"
    FAILED = "failed", "Failed"


class SyncRun(LabScoped):
    """One look at Align's list, or one batch of notifications, with its counts and its end."""

    pairing_path = "pairing_id"

    pairing = models.ForeignKey(Pairing, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=16)
    status = models.CharField(max_length=16, default=RunStatus.RUNNING)
    listed = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    malformed = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["SyncRun"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        indexes = [models.Index(fields=["lab", "pairing", "-started_at"], name="intake_syncrun_latest")]
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.status}"
