"""The audit's two tables. Nothing here is written by Django: the database's own function appends (migration 0002)."""

import json
from typing import Any
from uuid import UUID

from django.db import models

# The chain of what belongs to no lab: log-in failures, the operator's acts, commands.
INSTALLATION = UUID(int=0)


class Entry(models.Model):
    """One act. `chain` is a lab's id or INSTALLATION; no foreign key, since the record outlives what it names.

    `facts` is the text of a JSON object of codes, ids and counts, hashed as it stands; `hash` is over every other
    column and the entry before (chain.py).
    """

    hash = models.CharField(max_length=64, primary_key=True)
    previous = models.CharField(max_length=64)
    chain = models.UUIDField()
    seq = models.BigIntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12)
    actor_id = models.UUIDField(null=True)
    actor_code = models.CharField(max_length=80, blank=True)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=80, blank=True)
    facts = models.TextField(default="{}")
    ip = models.CharField(max_length=45, blank=True)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="audit_entry_place")]
        indexes = [models.Index(fields=["chain", "object_id", "at"], name="audit_entry_object")]
        ordering = ["chain", "-seq"]

    def __str__(self) -> str:
        return f"{self.action} {self.seq}"

    @property
    def details(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.facts)
        return read


class Head(models.Model):
    """How long a chain is and the hash of its last entry: a cut tail is missed here."""

    chain = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.chain} {self.seq}"
