"""Dismissal (a person has looked at a stopped scan) and Reconciliation (one comparison with Align, with its end)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from connector.orders.models import Revision
from connector.pairing.models import Pairing
from labportal.labs.models import LabQuerySet, LabScoped


class Dismissal(LabScoped):
    """A stopped scan was taken off "Needs attention"; it counts until the scan fails again."""

    pairing_path = "revision__order__pairing_id"

    revision = models.ForeignKey(Revision, on_delete=models.CASCADE, related_name="dismissals")
    note = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()

    objects: ClassVar[models.Manager["Dismissal"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        indexes = [models.Index(fields=["lab", "-at"], name="intake_dismissal_latest")]
        ordering = ["-at"]

    def __str__(self) -> str:
        return str(self.pk)


class Reconciliation(LabScoped):
    """One comparison of what Align shows with what is here. `known` = stored + pending + failed + removed, plus what
    differs.

    `differing` is a list of [order id, code]; `asked_up_to` is the order after which the next run goes on asking.
    """

    pairing_path = "pairing_id"

    pairing = models.ForeignKey(Pairing, on_delete=models.CASCADE, related_name="reconciliations")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    listed = models.PositiveIntegerField("orders on Align's list of new ones", default=0)
    asked = models.PositiveIntegerField("orders asked for one by one", default=0)
    unasked = models.PositiveIntegerField("recent orders left for the next run", default=0)
    known = models.PositiveIntegerField("scans that Align shows", default=0)
    stored = models.PositiveIntegerField(default=0)
    pending = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField("removed by the lab", default=0)
    missing_recorded = models.PositiveIntegerField("scans that we did not know, recorded now", default=0)
    differing = models.JSONField(default=list)
    asked_up_to = models.UUIDField(null=True, blank=True)
    reason = models.CharField(max_length=60, blank=True)

    objects: ClassVar[models.Manager["Reconciliation"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lab", "pairing"], condition=Q(ended_at=None), name="intake_reconciliation_one_running"
            )
        ]
        indexes = [models.Index(fields=["lab", "pairing", "-started_at"], name="intake_reconciliation_latest")]
        ordering = ["-started_at"]

    def __str__(self) -> str:
        return str(self.pk)
