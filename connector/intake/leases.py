"""Who works on a revision: a lease by the database's clock, with a random token that fences late writers.

Every change of state is `UPDATE … WHERE id AND state AND lease_token`; no row changed means that somebody else owns it.
"""

import uuid
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from connector.orders.models import Revision, RevisionState
from connector.pairing.models import State
from connector.scans.child import Waiting
from labportal.faults import fault
from labportal.labs.tenancy import in_lab

LEASE = timedelta(seconds=90)
RENEW_EVERY = 20.0
# Longer than a task may run: the sweep must not begin a second reading meanwhile.
READING = timedelta(minutes=6)
AT_ONCE = 2
CHECKED_A_SECOND = 10_000_000  # bytes of a zip that even a slow machine checks, hashes or uploads in a second


class LeaseLost(Exception):
    """Another worker owns the revision now; stop without a word to anybody."""


def due() -> Q:
    """Revisions that may be claimed now."""
    waiting = Q(state__in=[RevisionState.SEEN, RevisionState.RETRY]) & (Q(next_due=None) | Q(next_due__lte=Now()))
    abandoned = Q(state=RevisionState.FETCHING, lease_until__lt=Now())
    return waiting | abandoned


def claim_next(lab_id: UUID, pairing_id: UUID) -> Revision | None:
    """The pairing's longest-waiting due revision, now FETCHING under a fresh lease; None when there is none, or when
    the pairing has AT_ONCE downloads running (one busy lab must not take every worker)."""
    token = uuid.uuid4()
    with in_lab(lab_id):
        _one_at_a_time(pairing_id)
        mine = Revision.objects.of(lab_id).filter(order__pairing_id=pairing_id, order__pairing__state=State.ACTIVE)
        if mine.filter(state=RevisionState.FETCHING, lease_until__gte=Now()).count() >= AT_ONCE:
            return None
        free = mine.filter(due()).select_for_update(skip_locked=True, of=("self",))
        found = free.order_by(F("next_due").asc(nulls_first=True), "seen_at").first()
        if found is None:
            return None
        Revision.objects.of(lab_id).filter(pk=found.pk).update(
            state=RevisionState.FETCHING,
            lease_token=token,
            lease_until=Now() + LEASE,
            attempts=F("attempts") + 1,
            next_due=None,
        )
        fault("claim.before_commit")
        return Revision.objects.of(lab_id).select_related("order", "order__pairing").get(pk=found.pk)


def _one_at_a_time(pairing_id: UUID) -> None:
    """Claims of one pairing wait for each other until COMMIT: two that count at once would both find room."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"claim {pairing_id}"])


def renew(revision: Revision, *, size: int = 0) -> None:
    """Keep the lease while bytes flow, and while `size` bytes are worked on without a pause. Errors: LeaseLost."""
    with in_lab(revision.lab_id):
        if not held(revision).update(lease_until=Now() + LEASE + timedelta(seconds=size / CHECKED_A_SECOND)):
            raise LeaseLost


def renewing(revision: Revision, *, size: int = 0) -> Waiting:
    """What to do while a child works on the revision's files."""
    return Waiting(RENEW_EVERY, lambda: renew(revision, size=size))


def held(revision: Revision) -> Any:
    """The revision's row, if this worker still owns it."""
    return Revision.objects.of(revision.lab_id).filter(
        pk=revision.pk, state=RevisionState.FETCHING, lease_token=revision.lease_token
    )


def claim_reading(lab_id: UUID, revision_id: UUID) -> Revision | None:
    """A stored revision under a fresh lease, to be read; None when it is read already, or another worker reads it."""
    with in_lab(lab_id):
        unread = Revision.objects.of(lab_id).filter(pk=revision_id, state=RevisionState.STORED)
        free = unread.filter(Q(lease_until=None) | Q(lease_until__lt=Now()))
        if not free.update(lease_token=uuid.uuid4(), lease_until=Now() + READING, next_due=Now() + READING):
            return None
        return Revision.objects.of(lab_id).select_related("order").get(pk=revision_id)


def held_for_reading(revision: Revision) -> Any:
    """As `held`, of a revision that is being read."""
    return Revision.objects.of(revision.lab_id).filter(
        pk=revision.pk, state=RevisionState.STORED, lease_token=revision.lease_token
    )


def release(revision: Revision, **changes: Any) -> None:
    """Move on from FETCHING, in the running transaction. Errors: LeaseLost."""
    if not held(revision).update(lease_token=None, lease_until=None, **changes):
        raise LeaseLost
