"""Scans that stopped and that nobody has looked at: what "Needs attention" lists, and an order's `problem` names."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from connector.orders.models import STOPPED, Order, Revision, TimelineEvent
from labportal.labs.models import Lab

FAILURES = ("stopped", "retry", "damaged")  # kinds of the timeline


def not_dismissed(lab: Lab | UUID) -> QuerySet[Revision]:
    """Revisions of any age but those that somebody took off the list. One that fails after that comes back."""
    mine = TimelineEvent.objects.filter(lab_id=OuterRef("lab_id"), order=OuterRef("order"))
    failed_since = mine.filter(revision=OuterRef("revision"), kind__in=FAILURES, at__gt=OuterRef("at"))
    dismissed = mine.filter(revision=OuterRef("pk"), kind="dismissed").exclude(Exists(failed_since))
    return Revision.objects.of(lab).exclude(Exists(dismissed))


def standing_problem(order: Order) -> str:
    """The reason code of the newest scan that stopped and was not dismissed; '' when there is none."""
    stopped = not_dismissed(order.lab_id).filter(order=order, state__in=STOPPED).order_by("-number")
    return stopped.values_list("reason", flat=True).first() or ""


def settle(order: Order) -> None:
    """Write the order's `problem` anew, in the transaction that changed one of its scans."""
    rows = Order.objects.of(order.lab_id).filter(pk=order.pk)
    rows.update(problem=standing_problem(order), updated_at=timezone.now())
