"""ApiKey: what a lab's management system shows to take orders out. Only the key's hash is kept."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from labportal.labs.models import LabQuerySet, LabScoped

READ_ORDERS = "orders:read"


def read_only() -> list[str]:
    return [READ_ORDERS]


class ApiKey(LabScoped):
    """One key of one lab. `prefix` is shown so that people can tell keys apart."""

    name = models.CharField(max_length=80, help_text="Which system uses it, for example the LMS's name.")
    prefix = models.CharField(max_length=16)
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=read_only)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: until it is revoked.")
    last_used_at = models.DateTimeField("last used, to the minute", null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    shown_once = ""  # the key's text, held by the object that has just made it; no column

    objects: ClassVar[models.Manager["ApiKey"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.prefix

    @property
    def status(self) -> str:
        """In words; whether a request may use the key is decided by the database (resolve.api_key)."""
        if self.revoked_at is not None:
            return "Revoked"
        return "Expired" if self.expires_at is not None and self.expires_at <= timezone.now() else "In use"
