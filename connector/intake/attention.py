"""What "Needs attention" says: scans that stopped or are delayed, pushes that led nowhere, connections that wait."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone

from connector.intake.bookkeeping import Dismissal
from connector.intake.dismissing import AGAIN, needing_attention
from connector.intake.models import Notification, NotificationState
from connector.orders.case import explain, explain_older, for_reader
from connector.orders.concerns import concerns
from connector.orders.models import STOPPED, Order, Revision, RevisionState
from connector.orders.words import moment_words, revision_label
from connector.pairing.health import ago, health
from connector.pairing.models import Pairing, State
from connector.pairing.portal_trouble import portal_trouble
from labportal.labs.models import Lab, Membership

SHOWN = 200
PUSHES_SHOWN, PUSHES_FOR = 50, timedelta(days=14)
DISMISSED_SHOWN, DISMISSED_FOR = 20, timedelta(days=30)
# A failure that was the last one: here nothing goes on by itself, which the words for a delay promise.
ENDED = {
    "truncated": "The download was cut off each time. Press “Try again”.",
    "bad_answer": "Align's answer could not be read, each time. Press “Try again”. If it stays so, tell the operator.",
    "not_found": "Align does not know this case under this connection. Ask the practice whether it was sent to another "
    "lab or account.",
    "conflict": "Align does not give out the files in the case's present status. Press “Try again” later.",
}
# A zip that was cut off says "fetch the case again"; while we do so by ourselves that would mislead.
DELAYED = {"truncated": "The download was cut off. The portal fetches the case again by itself."}
PUSH_ENDED = {
    "not_found": "Align does not know this RxID under this connection.",
    "bad_answer": "Align's answer could not be read, each time. If it stays so, tell the operator the RxID.",
}
DISK = "The portal could not write the scan where it keeps them. Tell the operator."


def attention_page(*, lab: Lab, membership: Membership) -> dict[str, Any]:
    """The template's context."""
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    listed = needing_attention(lab).select_related("order", "order__pairing")
    may = membership.may_work
    newest = listed.order_by("-order__received_at", "-number", "-pk")[:SHOWN]
    items = [_item(row, now, zone, may_work=may) for row in newest]
    return {
        "stopped": [item for item in items if item["tone"] == "bad"],
        "delayed": [item for item in items if item["tone"] != "bad"],
        "total": listed.count() if len(items) == SHOWN else len(items),
        "shown": len(items),
        "concerns": concerns(lab),
        "pushes": _pushes(lab, now, zone),
        "waiting": _waiting(lab, now),
        "dismissed": _dismissed(lab, now, zone),
        "sources": _sources(lab),
        "several": Pairing.objects.of(lab).exclude(paired_at=None).count() > 1,
        "may_work": may,
        "may_manage": membership.may_manage,
        "try_all_url": reverse("attention_try_all") if may and any(item["again_url"] for item in items) else "",
        "banners": [],  # the connections that wait stand on the page itself
    }  # fmt: skip


def _sources(lab: Lab) -> list[dict[str, Any]]:
    """The connections under which an RxID can be fetched."""
    active = Pairing.objects.of(lab).filter(state=State.ACTIVE).order_by("account_name")
    return [{"id": str(pairing.pk), "name": pairing.account_name} for pairing in active]


def reason_of(revision: Revision) -> str:
    """Why it stopped or waits, in words that fit its state, and its place among the case's scans."""
    if revision.number < revision.order.latest_number and revision.state in STOPPED:
        return explain_older(revision.reason)
    if revision.reason == "disk":
        return DISK
    if revision.state == RevisionState.DEAD and revision.reason in ENDED:
        return ENDED[revision.reason]
    if revision.state == RevisionState.RETRY and revision.reason in DELAYED:
        return DELAYED[revision.reason]
    return explain(revision.reason, revision.state) or "The reason is not known."


def _item(revision: Revision, now: datetime, zone: ZoneInfo, *, may_work: bool) -> dict[str, Any]:
    order = revision.order
    tries = revision.attempts
    older = revision.number < order.latest_number
    return {
        "key": revision.pk,
        "patient": order.patient or "No name",
        "order_id": order.order_id,
        "connection": order.pairing.account_name,
        "practice": order.practice,
        "url": reverse("case", args=[order.pk]) + (f"?revision={revision.number}" if older else ""),
        "scan": _scan(revision),
        "number": revision.number,
        "state": RevisionState(revision.state).label,
        "tone": "bad" if revision.state in STOPPED else "warn",
        "reason": for_reader(reason_of(revision), may_work=may_work),
        "attempts": "Not tried yet" if not tries else "Tried once" if tries == 1 else f"Tried {tries} times",
        "next": _next_try(revision, now, zone),
        "again_url": reverse("attention_try_again", args=[order.pk]) if revision.state in AGAIN and not older else "",
        "dismiss_url": reverse("attention_dismiss", args=[order.pk]) if revision.state in STOPPED else "",
    }


def _scan(revision: Revision) -> str:
    """Which scan of the case: "Re-scan 2"; of an older one its place as well."""
    label, latest = revision_label(revision.number, revision.cause), revision.order.latest_number
    return label if revision.number == latest else f"{label} · scan {revision.number} of {latest}"


def _next_try(revision: Revision, now: datetime, zone: ZoneInfo) -> str:
    """When it is tried again by itself."""
    pairing = revision.order.pairing
    if revision.state in STOPPED:
        return "No more tries by itself"
    if pairing.state != State.ACTIVE:
        return "Waits until its connection works again"
    due = max((t for t in (revision.next_due, pairing.paused_until) if t is not None), default=now)
    minutes = int((due - now).total_seconds() // 60) + 1
    if due <= now:
        return "Next try: now"
    return f"Next try in {minutes} min" if minutes < 60 else f"Next try at {moment_words(due, now, zone)}"


def _pushes(lab: Lab, now: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Notifications that Align could not explain, unless the case came in another way since."""
    came = Order.objects.filter(lab_id=OuterRef("lab_id"), rx_id__iexact=OuterRef("rx_id"))
    recent = Notification.objects.of(lab).filter(received_at__gte=now - PUSHES_FOR)
    rows = recent.filter(state=NotificationState.UNKNOWN).exclude(Exists(came)).select_related("pairing")
    return [
        {
            "rx_id": row.rx_id,
            "connection": row.pairing.account_name,
            "pairing_id": row.pairing_id,
            "when": moment_words(row.received_at, now, zone),
            "reason": PUSH_ENDED.get(row.reason) or explain(row.reason),
            "attempts": f"Asked {row.attempts} times",
            "may_ask": row.pairing.state == State.ACTIVE,
        }
        for row in rows.order_by("-received_at")[:PUSHES_SHOWN]
    ]


def _waiting(lab: Lab, now: datetime) -> list[dict[str, str]]:
    """Connections that need a person."""
    pairings = Pairing.objects.of(lab).exclude(state=State.UNPAIRED).order_by("account_name")
    trouble = portal_trouble()
    found = [(pairing, health(pairing, now, trouble=trouble)) for pairing in pairings]
    return [
        {"name": pairing.account_name, "state": state.state, "text": state.sentence, "url": reverse("connections")}
        for pairing, state in found
        if state.tone == "bad"
    ]


def _dismissed(lab: Lab, now: datetime, zone: ZoneInfo) -> list[dict[str, str]]:
    rows = Dismissal.objects.of(lab).filter(at__gte=now - DISMISSED_FOR).select_related("revision__order", "by")
    return [
        {
            "patient": row.revision.order.patient or "No name",
            "order_id": row.revision.order.order_id,
            "url": reverse("case", args=[row.revision.order_id]),
            "note": row.note,
            "who": row.by.display_name if row.by else "",
            "when": ago(row.at, now),
        }
        for row in rows[:DISMISSED_SHOWN]
    ]
