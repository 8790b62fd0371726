"""Return: a case sent back to the doctor for a re-scan."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from connector.orders.models import Order, Revision
from labportal.labs.models import LabQuerySet, LabScoped


class ReturnState(models.TextChoices):
    QUEUED = "queued", "Being sent"
    SENT = "sent", "Waiting for the doctor"
    REFUSED = "refused", "Refused by Align"


class Reason(models.TextChoices):
    """Why; the label is what the lab picks and the doctor reads."""

    MARGIN = "margin", "Margin is not clear"
    MISSING = "missing_data", "Part of the scan is missing"
    BITE = "bite", "Bite is wrong or missing"
    PREPARATION = "preparation", "Preparation needs a change"
    SCAN_QUALITY = "scan_quality", "Scan is distorted or has holes"
    PRESCRIPTION = "prescription", "Prescription is not clear"
    OTHER = "other", "Something else"


# How one ended that was never sent, by its problem.
UNSENT = {"overtaken": "Not sent: a newer scan came first", "not_paired": "Not sent to Align"}


class Return(LabScoped):
    """One request for a re-scan. Its order waits from the moment Align takes it until the re-scan arrives."""

    pairing_path = "order__pairing_id"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="returns")
    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="+")
    reason = models.CharField(max_length=20)
    comment = models.TextField(max_length=1000, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=10, default=ReturnState.QUEUED)
    problem = models.CharField(max_length=60, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    own_failures = models.PositiveIntegerField("failures that were not an outage's", default=0)
    next_due = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField("taken off the list of refused ones", null=True, blank=True)

    objects: ClassVar[models.Manager["Return"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [
            # Pressed twice, or from two browsers: one return at a time.
            models.UniqueConstraint(fields=["lab", "order"], condition=Q(state="queued"), name="returns_one_queued"),
        ]
        indexes = [  # counted on every page, for the menu
            models.Index(
                fields=["lab", "order"], condition=Q(state="refused", dismissed_at=None), name="returns_refused"
            )
        ]
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"return {self.pk}"

    @property
    def state_label(self) -> str:
        unsent = UNSENT.get(self.problem, "") if self.state == ReturnState.REFUSED else ""
        return unsent or str(ReturnState(self.state).label)
