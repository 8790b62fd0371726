"""Alarm: a pairing stopped, or brought nothing in for too long; each time one row, and one mail to the lab's owners."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from labportal.labs.models import LabQuerySet, LabScoped


class AlarmKind(models.TextChoices):
    """STOPPED: nothing goes on until somebody signs in at Align. SILENT: no look at Align succeeded for too long."""

    STOPPED = "stopped", "Must be connected again"
    SILENT = "silent", "Not checked"


class Alarm(LabScoped):
    """Open until the pairing works again. `since` is when the trouble began: another moment is another alarm.

    `next_due` is when the mail may be tried (again), `told_at` when it went out, to `told` owners; `mail_error` is the
    type of what the mail server's refusal raised.
    """

    pairing_path = "pairing_id"

    pairing = models.ForeignKey("pairing.Pairing", on_delete=models.CASCADE, related_name="alarms")
    kind = models.CharField(max_length=12)
    code = models.CharField("reason code at its beginning", max_length=60, blank=True)
    since = models.DateTimeField()
    raised_at = models.DateTimeField(auto_now_add=True)
    next_due = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField("mails tried", default=0)
    mail_error = models.CharField(max_length=60, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    told = models.PositiveIntegerField("owners told", default=0)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["Alarm"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lab", "pairing"], condition=Q(ended_at=None), name="pairing_alarm_one_open"
            )
        ]
        indexes = [models.Index(fields=["lab", "pairing", "-raised_at"], name="pairing_alarm_latest")]
        ordering = ["-raised_at"]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
