"""What the operator reads during a look. Text only: no picture, no scan, no file can be fetched."""

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone

from connector.orders.case import explain
from connector.orders.history import in_words
from connector.orders.models import Order, Revision, ScanFile, TimelineEvent
from connector.orders.prescription import restorations, rx_facts
from connector.orders.sizes import in_bytes
from connector.orders.words import moment_words
from labportal.labs.models import Lab

SHOWN = 50


def cases(lab: Lab, q: str) -> list[dict[str, Any]]:
    """The newest, or those of an order number, an RxID or a patient's last name."""
    orders = Order.objects.of(lab)
    if q:
        orders = orders.filter(Q(order_id__iexact=q) | Q(rx_id__iexact=q) | Q(patient_last__iexact=q))
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    return [
        {
            "pk": order.pk,
            "order_id": order.order_id,
            "patient": order.patient or "No name",
            "status": order.vendor_status,
            "problem": explain(order.problem),
            "received": moment_words(order.received_at, now, zone),
        }
        for order in orders.order_by("-received_at")[:SHOWN]
    ]


def case(lab: Lab, order_id: UUID) -> tuple[Order, dict[str, Any]] | None:
    """The order, and the template's context; None when the lab has no such case."""
    order = Order.objects.of(lab).select_related("pairing").filter(pk=order_id).first()
    if order is None:
        return None
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    lines = TimelineEvent.objects.of(lab).filter(order=order).select_related("by")[:100]
    return order, {
        "facts": [
            ("Patient", order.patient or "No name"), ("Order", order.order_id), ("RxID", order.rx_id),
            ("Chart number", order.chart_number), ("Doctor", order.doctor), ("Practice", order.practice),
            ("Connection", order.pairing.account_name), ("Procedure", order.procedure),
            ("Status at Align", order.vendor_status), ("Problem", explain(order.problem) or "none"),
            ("Notes", order.notes), *rx_facts(order, zone),
        ],
        "restorations": restorations(order, lab),
        "revisions": [
            {"number": revision.number, "state": revision.state, "reason": explain(revision.reason),
             "size": in_bytes(revision.size), "attempts": revision.attempts}
            for revision in Revision.objects.of(lab).filter(order=order).order_by("number")
        ],
        "files": [
            {"role": file.role, "size": in_bytes(file.size), "problem": explain(file.problem)}
            for file in ScanFile.objects.of(lab).filter(revision__order=order).order_by("revision__number", "member")
        ],
        "timeline": [
            {"when": moment_words(line.at, now, zone), "text": in_words(line),
             "who": line.by.display_name if line.by else ""}
            for line in lines
        ],
    }  # fmt: skip
