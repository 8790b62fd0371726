"""SafeMode: whether this database was restored, and nothing may be said to Align with what it holds."""

from django.db import models


class SafeMode(models.Model):
    """While its one row is there, no call goes to Align (labportal/keeping/safe_mode.py)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="running_safemode_one_row")]

    def __str__(self) -> str:
        return "safe mode"
