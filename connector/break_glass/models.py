"""Look: for how long, why and by whom the operator may read one lab's cases."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from labportal.labs.models import LabQuerySet, LabScoped


class Look(LabScoped):
    """Open until `ends_at`, or until somebody ended it before. Rows stay: the lab sees them in its audit."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.CharField(max_length=300)
    begun_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["Look"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        ordering = ["-begun_at"]
        indexes = [models.Index(fields=["lab", "ends_at"], name="break_glass_look_open")]

    def __str__(self) -> str:
        return f"look {self.pk}"
