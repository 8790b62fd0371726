"""On the case page: until when the case is kept, and the hold on it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.urls import reverse

from connector.orders.models import Order, Workflow
from connector.orders.panels import Panel
from connector.retention.rules import case_hold, lab_hold, policy_of
from labportal.labs.models import Lab, Membership


def kept_until(order: Order, lab: Lab, membership: Membership) -> Panel | None:
    """None when there is nothing to say to somebody who may change nothing."""
    mine, all_cases = case_hold(order), lab_hold(lab.pk)
    text = _text(order, lab, held=bool(mine or all_cases))
    if not text and not membership.may_manage:
        return None
    holding = mine or all_cases
    return {
        "template": "retention/_case_panel.html",
        "text": text or "This case is kept until somebody removes it.",
        "held": holding is not None,
        "reason": holding.reason if holding and membership.may_manage else "",
        "who": holding.by.display_name if holding and holding.by else "",
        "hold_url": reverse("case_hold", args=[order.pk]) if membership.may_manage and not mine else "",
        "release_url": reverse("case_release", args=[order.pk]) if membership.may_manage and mine else "",
    }


def _text(order: Order, lab: Lab, *, held: bool) -> str:
    if held:
        return "Legal hold: this case is not removed."
    policy = policy_of(lab.pk)
    if policy is None or policy.days is None:
        return ""
    if order.waiting_since is not None or order.workflow == Workflow.IN_WORK:
        return "This case is kept while it is in work or waits for the doctor."
    end = max(order.received_at + timedelta(days=policy.days), policy.starts_at).astimezone(ZoneInfo(lab.time_zone))
    return f"This case is kept until {end:%-d %B %Y}; then it is removed from the portal."
