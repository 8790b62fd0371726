"""Which cases may be removed when. A case is kept N days after its last scan came in, and longer while it is in work,
waits for the doctor, or is under a legal hold."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from connector.orders.models import Order, Workflow
from connector.retention.models import CaseHold, LabHold, RetentionPolicy

SHORTEST, LONGEST = 30, 36_500  # days
THINK_IT_OVER = timedelta(days=1)  # between a change of the policy and the first case that it removes


def one_at_a_time(lab_id: UUID) -> None:
    """Holds and removals of a lab wait for each other until COMMIT: a hold that is set is never overtaken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"retention {lab_id}"])


def policy_of(lab_id: UUID) -> RetentionPolicy | None:
    return RetentionPolicy.objects.of(lab_id).filter(days__isnull=False).first()


def lab_hold(lab_id: UUID) -> LabHold | None:
    """The hold on all of the lab's cases."""
    return LabHold.objects.of(lab_id).filter(released_at=None).select_related("by").first()


def case_hold(order: Order) -> CaseHold | None:
    """The hold on this one case."""
    return CaseHold.objects.of(order.lab_id).filter(order=order, released_at=None).select_related("by").first()


def is_held(order: Order) -> bool:
    return lab_hold(order.lab_id) is not None or case_hold(order) is not None


def over_time(lab_id: UUID, days: int, now: datetime) -> QuerySet[Order]:
    """The lab's cases that a policy of `days` would remove at `now`, the oldest first; a hold on the whole lab is the
    caller's to ask for."""
    held = CaseHold.objects.filter(lab_id=OuterRef("lab_id"), order=OuterRef("pk"), released_at=None)
    old = Order.objects.of(lab_id).filter(received_at__lt=now - timedelta(days=days), waiting_since=None)
    return old.exclude(workflow=Workflow.IN_WORK).exclude(Exists(held)).order_by("received_at", "pk")
