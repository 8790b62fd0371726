"""SafeMode: this database was restored, so nothing may be said to Align with what it holds. Heartbeat: life signs."""

from django.db import models


class SafeMode(models.Model):
    """While its one row is there, no call goes to Align (labportal/keeping/safe_mode.py)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="running_safemode_one_row")]

    def __str__(self) -> str:
        return "safe mode"


class Heartbeat(models.Model):
    """When a part of the background work last beat, by the database's clock (labportal/running/heartbeat.py)."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
