"""What the page "Data" shows, in words."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.urls import reverse
from django.utils import timezone

from connector.orders.models import HAS_FILES, Order, Revision
from connector.orders.sizes import in_bytes
from connector.orders.words import moment_words
from connector.retention.models import CaseHold, LabHold, RetentionPolicy
from connector.retention.rules import LONGEST, SHORTEST, lab_hold, over_time
from labportal.labs.models import Lab

LISTED = 20


def data_page(*, lab: Lab, days: int | None, asked: bool, error: str = "") -> dict[str, Any]:
    """The template's context; with `asked`, the preview of keeping cases `days` days."""
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    policy = RetentionPolicy.objects.of(lab).select_related("changed_by").first()
    everything = lab_hold(lab.pk)
    holds = CaseHold.objects.of(lab).filter(released_at=None).select_related("order", "by")
    return {
        "policy": _policy(policy, now, zone),
        "limits": {"shortest": SHORTEST, "longest": LONGEST},
        "error": error,
        "preview": _preview(lab, days, now, zone) if asked else None,
        "lab_hold": _hold(everything, now, zone) if everything else None,
        "holds": [_case_hold(one, now, zone) for one in holds],
    }


def _policy(policy: RetentionPolicy | None, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    days = policy.days if policy else None
    return {
        "days": days,
        "sentence": f"Cases are removed {days:,} days after their last scan came in." if days
        else "Cases are kept until somebody removes them.",
        "changed": moment_words(policy.changed_at, now, zone) if policy else "",
        "who": policy.changed_by.display_name if policy and policy.changed_by else "",
        "starts": moment_words(policy.starts_at, now, zone) if policy and days and policy.starts_at > now else "",
    }  # fmt: skip


def _preview(lab: Lab, days: int | None, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """What a policy of `days` would remove if it began this moment."""
    cases = over_time(lab.pk, days, now) if days else Order.objects.none()
    files = Revision.objects.of(lab).filter(order__in=cases.order_by(), state__in=HAS_FILES)
    total = files.aggregate(bytes=Sum("size"))["bytes"] or 0
    return {
        "days": days,
        "count": cases.count() if days else 0,
        "size": in_bytes(total),
        "cases": [
            {
                "url": reverse("case", args=[order.pk]),
                "patient": order.patient or "No name",
                "order_id": order.order_id,
                "received": moment_words(order.received_at, now, zone),
            }
            for order in cases[:LISTED]
        ],
    }


def _hold(held: CaseHold | LabHold, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "reason": held.reason,
        "who": held.by.display_name if held.by else "",
        "when": moment_words(held.at, now, zone),
    }


def _case_hold(held: CaseHold, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return _hold(held, now, zone) | {
        "case_url": reverse("case", args=[held.order_id]),
        "release_url": reverse("case_release", args=[held.order_id]),
        "patient": held.order.patient or "No name",
        "order_id": held.order.order_id,
    }
