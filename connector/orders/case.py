"""Everything the case page shows, in words."""

import hashlib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from connector.orders import case_scans
from connector.orders.history import in_words
from connector.orders.models import STOPPED, SUPERSEDED, Order, Revision, RevisionState, ScanFile, TimelineEvent
from connector.orders.panels import panels
from connector.orders.prescription import restorations, rx_facts, tooth_chart
from connector.orders.sizes import in_bytes
from connector.orders.ticket import ticket
from connector.orders.words import due_words, moment_words, revision_label, status_words
from connector.pairing.words import reason_words
from connector.scans.examination import FAILURE_WORDS
from connector.scans.examination_record import PROBLEM_WORDS
from connector.scans.rejection import WORDS
from labportal.labs.models import Lab, Membership

# What is said above the case when its latest scan is in trouble, and whether asking Align again can help.
TROUBLE = {
    RevisionState.RETRY: ("This scan is not here yet", "warn", True),
    RevisionState.QUARANTINED: ("The scan's zip is not safe to open and was held back", "bad", True),
    RevisionState.DEAD: ("This scan could not be fetched", "bad", True),
    RevisionState.GONE: ("Align no longer gives out this scan", "bad", False),
    RevisionState.SUPERSEDED: ("This scan was replaced at Align before it was fetched", "info", False),
    RevisionState.READY: ("The zip is here, but not all of it could be read", "warn", False),
}

# Held back, and yet no sign of harm: the title says what it is instead.
HELD_TITLES = dict.fromkeys(
    ("truncated", "not_a_zip", "bad_crc", "bad_data", "bad_directory", "bad_header", "size_mismatch"),
    "This scan did not arrive whole, and was held back",
) | {"encrypted": "This scan's zip is locked with a password, and was held back"}
# A zip that was cut off says "fetch the case again"; here the button has another name.
HELD = {"truncated": "The download was cut off each time."}
HELD_WHAT_TO_DO = " Press “Try again”. If it stays so, ask the practice to send the scan again."

# Of an older scan nothing can be fetched any more, so neither "Try again" nor "by ourselves" would be true.
OLDER = {
    "damaged": "The stored file is missing or changed on our disk, and what was found is kept beside it. Align gives "
    "out the newest scan alone. If this older one is needed, tell the operator: it can come back from a backup.",
    "truncated": "The download was cut off each time.",
    "bad_answer": "Align's answer could not be read, each time.",
    "not_found": "Align did not know this case under this connection.",
    "conflict": "Align did not give out the files in the status that the case had.",
    "gone": "Align no longer gave out these files.",
}
REPLACED = (
    " A newer scan of the case has come since, and Align gives out that one alone. If this one is needed as well, ask "
    "the practice."
)


def explain(reason: str, state: str = "") -> str:
    """A revision's reason code in words. Our own trouble with reading a zip and Align's share a code or two."""
    if state == RevisionState.QUARANTINED:
        return (HELD.get(reason) or explain(reason)) + HELD_WHAT_TO_DO
    own = FAILURE_WORDS.get(reason) if state == RevisionState.READY else None
    return own or WORDS.get(reason) or PROBLEM_WORDS.get(reason) or reason_words(reason)


def for_reader(text: str, *, may_work: bool) -> str:
    """Who has no such button reads who has it."""
    return text if may_work else text.replace("Press “Try again”", "A technician or owner can press “Try again”")


def explain_older(reason: str) -> str:
    """The same, of a scan that stopped and is not the case's newest."""
    words = OLDER.get(reason) or explain(reason)
    return words if reason in {"damaged", SUPERSEDED} else words + REPLACED


def case_page(order: Order, *, number: int | None, lab: Lab, membership: Membership) -> dict[str, Any]:
    """The template's context for one order, showing revision `number` (default: the latest that has files)."""
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    revisions = list(Revision.objects.of(lab).filter(order=order).order_by("number"))
    shown = case_scans.shown_revision(revisions, number)
    files: dict[Any, list[ScanFile]] = {}
    for file in ScanFile.objects.of(lab).filter(revision__order=order).order_by("member"):
        files.setdefault(file.revision_id, []).append(file)
    here = files.get(shown.pk, []) if shown else []
    latest = revisions[-1] if revisions else None
    return {
        "case": _case(order, latest, lab, now, zone),
        "may": {"download": True, "return": membership.may_work, "work": membership.may_work},
        "urls": _urls(order, shown, latest, membership),
        "problem": _problem(order, latest, membership) or _older_problem(latest, shown),
        "unreadable": case_scans.unreadable_scans(here, lab.tooth_notation),
        "older": _older(order, latest, shown),
        "restorations": restorations(order, lab),
        "tooth_chart": tooth_chart(order, lab),
        "rx_facts": rx_facts(order, zone),
        "revisions": case_scans.revision_facts(order, revisions, shown, files, now, zone, lab.tooth_notation),
        "thumbnails": case_scans.pictures(order, here),
        "files": [case_scans.file_facts(order, file, lab.tooth_notation) for file in here],
        "files_total": in_bytes(shown.size) if shown and shown.has_files else "",
        "zip_sha256": shown.sha256 if shown else "",
        "models": [
            case_scans.model_facts(order, file, lab.tooth_notation)
            for file in here
            if file.preview and file.role in case_scans.MODEL_ROLES
        ],
        "panels": panels(order, lab, membership),
        "timeline": [_event(event, now, zone) for event in _timeline(order, lab)],
        "mark": mark_of(order, latest),
        "ticket": ticket(order, shown, now, zone),
    }


def mark_of(order: Order, latest: Revision | None) -> str:
    """Another one when the page would say something else of the case or its latest scan; it tells nobody what."""
    said: list[object] = [order.vendor_status, order.problem, order.workflow, order.waiting_since, order.latest_number]
    if latest is not None:
        said += [latest.state, latest.reason, latest.ready_at]
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _case(order: Order, latest: Revision | None, lab: Lab, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    row = {
        "state": latest.state if latest else "", "problem": order.problem, "waiting_since": order.waiting_since,
        "workflow": order.workflow, "vendor_status": order.vendor_status,
    }  # fmt: skip
    status, tone = status_words(row, now)
    due, due_tone = due_words(order.due_date, now.astimezone(zone).date())
    return {
        "id": order.pk, "patient": order.patient or "No name", "order_id": order.order_id, "rx_id": order.rx_id,
        "chart": order.chart_number, "practice": order.practice, "doctor": order.doctor, "procedure": order.procedure,
        "case_type": order.case_type, "due": due, "due_tone": due_tone, "status": status, "status_tone": tone,
        "vendor_status": order.vendor_status, "notes": order.notes, "workflow": order.workflow,
        "url": reverse("case", args=[order.pk]),
    }  # fmt: skip


def _urls(order: Order, shown: Revision | None, latest: Revision | None, membership: Membership) -> dict[str, str]:
    ask = latest is not None and latest.state == RevisionState.ASKED_LATER and membership.may_work
    may_return = membership.may_work and order.waiting_since is None
    return {
        "download": reverse("revision_zip", args=[order.pk, shown.number]) if shown and shown.has_files else "",
        "get_all": reverse("get_all", args=[order.pk]) if ask else "",
        "return": reverse("case_return", args=[order.pk]) if may_return else "",
        "workflow": reverse("workflow", args=[order.pk]),
        "print": "",
        "mark": reverse("case_mark", args=[order.pk]),
    }


def _problem(order: Order, latest: Revision | None, membership: Membership) -> dict[str, str] | None:
    """What happened, what it means, what to do."""
    if latest is None or not latest.reason or latest.state not in TROUBLE:
        return None
    title, tone, again = TROUBLE[RevisionState(latest.state)]
    if latest.state == RevisionState.QUARANTINED:
        title = HELD_TITLES.get(latest.reason, title)
    text = explain(latest.reason, latest.state)
    if latest.state == RevisionState.READY:
        text += " The zip can be downloaded as it came."
    url = reverse("try_again", args=[order.pk]) if again and membership.may_work else ""
    text = for_reader(text, may_work=membership.may_work)
    return {"title": title, "text": text, "tone": tone, "action_label": "Try again", "action_url": url}


def _older_problem(latest: Revision | None, shown: Revision | None) -> dict[str, str] | None:
    """Of an older scan that somebody looks at: it has no files, and nothing here can fetch them."""
    if latest is None or shown is None or shown.number == latest.number:
        return None
    if shown.state not in (*STOPPED, RevisionState.SUPERSEDED):
        return None
    title, tone, _ = TROUBLE[RevisionState(shown.state)]
    title = f"{revision_label(shown.number, shown.cause)}: {title}"
    return {"title": title, "text": explain_older(shown.reason), "tone": tone, "action_label": "", "action_url": ""}


def _older(order: Order, latest: Revision | None, shown: Revision | None) -> dict[str, str] | None:
    """That this is not the newest scan, which nobody may take it for."""
    if latest is None or shown is None or shown.number == latest.number:
        return None
    return {
        "label": revision_label(shown.number, shown.cause),
        "newest": revision_label(latest.number, latest.cause),
        "url": reverse("case", args=[order.pk]) if latest.has_files else "",
    }


def _timeline(order: Order, lab: Lab) -> list[TimelineEvent]:
    return list(TimelineEvent.objects.of(lab).filter(order=order).select_related("by").order_by("-at", "-id")[:100])


def _event(event: TimelineEvent, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    return {
        "text": in_words(event),
        "when": moment_words(event.at, now, zone),
        "iso": event.at.isoformat(),
        "who": event.by.display_name if event.by else "",
    }
