"""Invitation: a lab asks a person in. SignUp: a person asks for a lab of their own. Both are a link in a mail."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from labportal.labs.models import LabQuerySet, LabScoped, Role

INVITATION_LIFE = timedelta(days=7)
SIGN_UP_LIFE = timedelta(days=1)


class Invitation(LabScoped):
    """One person asked into one lab, by e-mail. It is read before the lab is known by whoever holds the token."""

    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=12, default=Role.TECHNICIAN)
    pairings = ArrayField(models.UUIDField(), null=True, blank=True)  # as in Membership: NULL is all
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField("when the mail left; empty when it could not", null=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["Invitation"]] = models.Manager.from_queryset(LabQuerySet)()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lab", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="people_invitation_one_open",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class SignUp(models.Model):
    """A lab that somebody asks for: nothing of it exists until the link in the mail was used. Gone when used or old."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    lab_name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_open(self) -> bool:
        return self.expires_at > timezone.now()
