"""Finding what is to be removed, from our own tables; a batch a lab, then the next one is rung for."""

from uuid import UUID

from django.db import connection
from django.utils import timezone

from connector.orders.models import ErasedWhy, Revision, RevisionState
from connector.retention.erasing import CannotErase, erase, erase_bytes
from connector.retention.rules import lab_hold, one_at_a_time, over_time, policy_of
from labportal.doorbell import ring
from labportal.keeping import safe_mode
from labportal.labs.tenancy import in_lab
from labportal.running import heartbeat

BATCH = 50
LABS_AT_ONCE = 50
REMOVALS = "removals"


def sweep() -> None:
    """Ring for every lab that has something to remove."""
    heartbeat.beat_steadily(REMOVALS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id FROM resolve.due_erasures(%s)", [LABS_AT_ONCE])
        labs: list[UUID] = [lab_id for (lab_id,) in cursor.fetchall()]
    for lab_id in labs:
        ring_removal(lab_id)


def ring_removal(lab_id: UUID) -> None:
    ring("connector.retention.tasks.remove_due", lab_id)


def remove_due(lab_id: UUID) -> int:
    """Remove a batch of the lab's cases whose time is over, and the bytes of all that was removed before; gives how
    many cases. Errors: OSError, of a file that can't be removed; the next tick tries again."""
    count = sum(_remove(lab_id, pk) for pk in _due_cases(lab_id))
    with in_lab(lab_id):
        due = Revision.objects.of(lab_id).filter(state=RevisionState.ERASED, next_due__lte=timezone.now())
        revisions = list(due.order_by("next_due").values_list("pk", flat=True)[: 4 * BATCH])
    for pk in revisions:
        erase_bytes(lab_id, pk)
    if count == BATCH:
        ring_removal(lab_id)
    return count


def _due_cases(lab_id: UUID) -> list[UUID]:
    now = timezone.now()
    with in_lab(lab_id):
        days = _days_in_force(lab_id)
        if days is None or lab_hold(lab_id):
            return []
        return list(over_time(lab_id, days, now).values_list("pk", flat=True)[:BATCH])


def _days_in_force(lab_id: UUID) -> int | None:
    """None in a restored portal: a hold that was put, or a rule made milder, since the backup is not in it. And none
    for a day after the time leapt: were it a wrong clock, all cases would seem to be over their time at once."""
    if safe_mode.is_on() or heartbeat.leapt(REMOVALS):
        return None
    policy = policy_of(lab_id)
    return policy.days if policy is not None and policy.starts_at <= timezone.now() else None


def _remove(lab_id: UUID, order_pk: UUID) -> bool:
    """Asked again under the lock: the case may have been held, taken into work, or sent anew since it was listed, and
    the rule may be another one."""
    with in_lab(lab_id):
        one_at_a_time(lab_id)
        days = _days_in_force(lab_id)
        if days is None:
            return False
        try:
            still = over_time(lab_id, days, timezone.now())
            return erase(lab_id, order_pk, why=ErasedWhy.RETENTION, by=None, among=still)
        except CannotErase:
            return False
