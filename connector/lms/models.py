"""ApiKey: what a lab's management system shows to take orders out. Only the key's hash is kept."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labportal.labs import scope
from labportal.labs.models import LabQuerySet, LabScoped

READ_ORDERS, READ_FILES = "orders:read", "files:read"
SCOPES = {
    READ_ORDERS: "Read orders: patient, prescription, states",
    READ_FILES: "Download scan files",
}


def read_only() -> list[str]:
    """What a key may do unless less is asked for; there is nothing yet that writes."""
    return [READ_ORDERS, READ_FILES]


class ApiKey(LabScoped):
    """One key of one lab. `prefix` is shown so that people can tell keys apart."""

    name = models.CharField(max_length=80, help_text="Which system uses it, for example the LMS's name.")
    prefix = models.CharField(max_length=16)
    key_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=read_only)
    pairings = ArrayField(models.UUIDField(), null=True, blank=True, help_text="Empty: all connections of the lab.")
    networks = ArrayField(models.CharField(max_length=43), default=list, blank=True, help_text="Empty: from anywhere.")
    replaces = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    # The form that asked for it: sent twice, it makes one key.
    asked_by_form = models.UUIDField(null=True, editable=False)
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
        constraints = [
            models.UniqueConstraint(
                fields=["lab", "replaces"], condition=Q(replaces__isnull=False), name="lms_apikey_one_successor"
            ),
            models.UniqueConstraint(
                fields=["lab", "asked_by_form"], condition=Q(asked_by_form__isnull=False), name="lms_apikey_one_a_form"
            ),
        ]

    def __str__(self) -> str:
        return self.prefix

    @property
    def is_live(self) -> bool:
        """For pages; whether a request may use the key is decided by the database (resolve.api_key)."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    @property
    def status(self) -> str:
        """In words."""
        if self.revoked_at is not None:
            return "Revoked"
        return "In use" if self.is_live else "Expired"

    @property
    def scope(self) -> scope.Scope:
        """The pairings whose cases this key sees."""
        return scope.scope_of(self.pairings)
