"""Pairing, ConnectAttempt, Alarm. Tokens are sealed (labportal/sealing.py) and leave as text to Align alone."""

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from connector.itero import Endpoints, TokenSet
from connector.pairing.alarm import Alarm as Alarm  # Django looks for models here
from labportal.labs.models import LabQuerySet, LabScoped
from labportal.sealing import seal, unseal

ACCOUNT_ID_MAX, ACCOUNT_NAME_MAX, REGION_MAX = 64, 200, 40


class State(models.TextChoices):
    """Where a pairing stands."""

    CONNECTING = "connecting", "Connecting"
    ACTIVE = "active", "Connected"
    NEEDS_PAIRING = "needs_pairing", "Sign in at Align again"
    FORBIDDEN = "forbidden", "Not enabled at Align"
    UNPAIRING = "unpairing", "Disconnecting"
    UNPAIRED = "unpaired", "Disconnected"


class FetchMode(models.TextChoices):
    """What is downloaded by itself. Downloading takes a case off Align's new list for every other program."""

    FULL = "full", "All scan files, at once"
    THUMBNAILS = "thumbnails", "Pictures only"
    ON_CLICK = "on_click", "Nothing until somebody asks"


LINKED = (State.CONNECTING, State.ACTIVE, State.NEEDS_PAIRING, State.FORBIDDEN, State.UNPAIRING)


class Pairing(LabScoped):
    """A lab's link to one account at Align. Paired again, the same row lives on, and its orders with it."""

    pairing_path = "pk"

    account_id = models.CharField(max_length=ACCOUNT_ID_MAX)
    account_name = models.CharField(max_length=ACCOUNT_NAME_MAX)
    region = models.CharField(max_length=REGION_MAX, blank=True)
    endpoints = models.JSONField(default=dict)
    sealed_tokens = models.TextField(blank=True)
    access_expires_at = models.DateTimeField(null=True, blank=True)
    # Of the notification address: the one in force, and those told to Align by a Pair without an answer (callbacks.py).
    callback_hash = models.CharField(max_length=64, blank=True, db_index=True)
    told_callback_hashes = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    fetch_mode = models.CharField(max_length=12, default=FetchMode.FULL)
    poll_seconds = models.PositiveIntegerField(default=300)
    state = models.CharField(max_length=16, default=State.ACTIVE)
    reason = models.CharField("last error code", max_length=60, blank=True)
    reason_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField("failures in a row", default=0)
    next_due = models.DateTimeField(null=True, blank=True, db_index=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    paired_at = models.DateTimeField(null=True, blank=True)
    paired_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    reconnected_at = models.DateTimeField("connected again", null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    polled_at = models.DateTimeField("last checked", null=True, blank=True)
    succeeded_at = models.DateTimeField("last successful check", null=True, blank=True)
    notified_at = models.DateTimeField("last notification", null=True, blank=True)
    order_at = models.DateTimeField("last new order", null=True, blank=True)

    objects: ClassVar[models.Manager["Pairing"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        indexes = [GinIndex(fields=["told_callback_hashes"], name="pairing_told_callbacks")]
        constraints = [
            models.UniqueConstraint(fields=["lab", "account_id"], name="pairing_lab_account"),
            # Across labs on purpose: two consumers of one Align account would take each other's orders.
            models.UniqueConstraint(
                fields=["account_id"], condition=Q(state__in=LINKED), name="pairing_one_per_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_name} ({self.account_id})"

    @property
    def tokens(self) -> TokenSet:
        """The token set after Pair. Errors: SealError."""
        names = ("access", "refresh")
        values = unseal(self.sealed_tokens, lab_id=self.lab_id, owner_id=self.pk, names=names)
        return TokenSet(access_token=values["access"], refresh_token=values["refresh"], expires_in=0)

    def set_endpoints(self, found: Endpoints) -> None:
        """Discovery's answer; the region's name is for people, so an absurdly long one is cut, not refused."""
        self.endpoints, self.region = found.to_json(), found.region[:REGION_MAX]

    def set_tokens(self, tokens: TokenSet, expires_at: datetime) -> None:
        values = {"access": tokens.access_token, "refresh": tokens.refresh_token}
        self.sealed_tokens = seal(values, lab_id=self.lab_id, owner_id=self.pk)
        self.access_expires_at = expires_at

    @property
    def vendor_endpoints(self) -> Endpoints:
        return Endpoints.from_json(self.endpoints)

    @property
    def is_linked(self) -> bool:
        return self.state in LINKED


class ConnectAttempt(LabScoped):
    """One walk through Align's log-in: `state` is single-use and bound to the person and the lab."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    state_hash = models.CharField(max_length=64, unique=True)
    sealed_verifier = models.TextField()
    sealed_tokens = models.TextField(blank=True)
    endpoints = models.JSONField(default=dict)
    accounts = models.JSONField(default=list)
    reconnect = models.ForeignKey(Pairing, on_delete=models.CASCADE, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["ConnectAttempt"]] = models.Manager.from_queryset(LabQuerySet)()

    def __str__(self) -> str:
        return str(self.pk)
