"""RetentionPolicy (how long a lab keeps its cases); CaseHold and LabHold (what must be kept, whatever it says)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from connector.orders.models import Order
from labportal.labs.models import LabQuerySet, LabScoped


class RetentionPolicy(LabScoped):
    """One row a lab; none, or `days` empty: cases are kept for ever. Nothing is removed before `starts_at`."""

    days = models.PositiveIntegerField("kept after the last scan came in, days", null=True, blank=True)
    starts_at = models.DateTimeField()
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["RetentionPolicy"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lab"], name="retention_policy_lab")]

    def __str__(self) -> str:
        return f"{self.days or 'no'} days"


class _Hold(LabScoped):
    """Kept, whatever the rule says, until a person releases it."""

    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        abstract = True
        ordering = ["-at"]

    def __str__(self) -> str:
        return str(self.pk)


class CaseHold(_Hold):
    """A legal hold on one case."""

    pairing_path = "order__pairing_id"

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="+")

    objects: ClassVar[models.Manager["CaseHold"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta(_Hold.Meta):
        constraints = [
            models.UniqueConstraint(fields=["lab", "order"], condition=Q(released_at=None), name="retention_case_hold"),
        ]


class LabHold(_Hold):
    """A legal hold on all cases of the lab."""

    objects: ClassVar[models.Manager["LabHold"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta(_Hold.Meta):
        constraints = [
            models.UniqueConstraint(fields=["lab"], condition=Q(released_at=None), name="retention_lab_hold"),
        ]
