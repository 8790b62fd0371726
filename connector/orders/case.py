"""Everything the case page shows, in words."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from connector.orders.changes import SHOWN_ROLES, changes
from connector.orders.history import in_words
from connector.orders.models import HAS_FILES, Order, Restoration, Revision, RevisionState, ScanFile, TimelineEvent
from connector.orders.sizes import in_bytes
from connector.orders.words import due_words, moment_words, revision_label, status_words, tooth_label
from connector.pairing.words import reason_words
from connector.scans import PROBLEM_WORDS, WORDS
from labportal.labs.models import Lab, Membership

TONES = {
    RevisionState.READY: "ok", RevisionState.STORED: "ok", RevisionState.SEEN: "info", RevisionState.FETCHING: "info",
    RevisionState.RETRY: "warn", RevisionState.ASKED_LATER: "warn",
}  # fmt: skip
MODEL_ROLES = ("upper", "lower", "both", "pre_treatment")
UPPER, LOWER = range(1, 17), range(32, 16, -1)


def explain(code: str) -> str:
    """A reason code of any layer in words."""
    return WORDS.get(code) or PROBLEM_WORDS.get(code) or reason_words(code)


def case_page(order: Order, *, number: int | None, lab: Lab, membership: Membership) -> dict[str, Any]:
    """The template's context for one order, showing revision `number` (default: the latest that has files)."""
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    revisions = list(Revision.objects.of(lab).filter(order=order).order_by("number"))
    shown = _shown(revisions, number)
    files: dict[Any, list[ScanFile]] = {}
    for file in ScanFile.objects.of(lab).filter(revision__order=order).order_by("member"):
        files.setdefault(file.revision_id, []).append(file)
    here = files.get(shown.pk, []) if shown else []
    latest = revisions[-1] if revisions else None
    return {
        "case": _case(order, latest, lab, now, zone),
        "may": {"download": True, "return": membership.may_work, "work": membership.may_work},
        "urls": _urls(order, shown, latest, membership),
        "problem": _problem(order, latest, membership),
        "restorations": _restorations(order, lab),
        "tooth_chart": _tooth_chart(order, lab),
        "rx_facts": _rx_facts(order, latest, now, zone),
        "revisions": _revisions(order, revisions, shown, files, now, zone),
        "thumbnails": [_picture(order, file) for file in here if file.role == "thumbnail"],
        "files": [_file(order, file) for file in here],
        "files_total": in_bytes(shown.size) if shown and shown.has_files else "",
        "models": [_model(order, file) for file in here if file.preview and file.role in (*MODEL_ROLES, "other")],
        "timeline": [_event(event, now, zone) for event in _timeline(order, lab)],
    }


def _shown(revisions: list[Revision], number: int | None) -> Revision | None:
    if number is not None:
        return next((r for r in revisions if r.number == number), None)
    with_files = [r for r in revisions if r.state in HAS_FILES]
    return with_files[-1] if with_files else revisions[-1] if revisions else None


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
    }


def _problem(order: Order, latest: Revision | None, membership: Membership) -> dict[str, str] | None:
    """What happened, what it means, what to do."""
    if latest is None or not latest.reason:
        return None
    again = reverse("try_again", args=[order.pk]) if membership.may_work else ""
    titles = {
        RevisionState.RETRY: ("This scan is not here yet", "warn"),
        RevisionState.QUARANTINED: ("The scan's zip is not safe to open and was held back", "bad"),
        RevisionState.DEAD: ("This scan could not be fetched", "bad"),
        RevisionState.GONE: ("Align no longer gives out this scan", "bad"),
        RevisionState.READY: ("The zip is here, but not all of it could be read", "warn"),
    }
    if latest.state not in titles:
        return None
    title, tone = titles[RevisionState(latest.state)]
    ready = latest.state == RevisionState.READY
    return {
        "title": title,
        "text": explain(latest.reason) + (" The zip can be downloaded as it came." if ready else ""),
        "tone": tone,
        "action_label": "Try again",
        "action_url": "" if ready or latest.state == RevisionState.GONE else again,
    }


def _restorations(order: Order, lab: Lab) -> list[dict[str, str]]:
    rows = Restoration.objects.of(lab).filter(order=order).order_by("tooth")
    return [
        {
            "tooth": tooth_label(row.tooth, lab.tooth_notation),
            "treatment": row.treatment,
            "material": row.material,
            "shade": " / ".join(shade for shade in (row.incisal, row.body, row.gingival) if shade),
        }
        for row in rows
    ]


def _tooth_chart(order: Order, lab: Lab) -> dict[str, Any] | None:
    if not order.teeth:
        return None
    treated = set(order.teeth)

    def row(teeth: range) -> list[dict[str, str]]:
        return [
            {"label": tooth_label(t, lab.tooth_notation), "state": "treated" if t in treated else ""} for t in teeth
        ]

    notation = "FDI" if lab.tooth_notation == Lab.Notation.FDI else "Universal"
    return {"upper": row(UPPER), "lower": row(LOWER), "notation": notation}


def _rx_facts(order: Order, latest: Revision | None, now: datetime, zone: ZoneInfo) -> list[tuple[str, str]]:
    facts = [
        ("Scanned", moment_words(order.scanned_at, now, zone)),
        ("Doctor's licence", order.doctor_license),
        ("Practice address", order.practice_address),
        ("Zip checksum (SHA-256)", latest.sha256 if latest else ""),
    ]
    return [(label, value) for label, value in facts if value]


def _revisions(
    order: Order, revisions: list[Revision], shown: Revision | None, files: dict[Any, list[ScanFile]], now: datetime,
    zone: ZoneInfo,
) -> list[dict[str, Any]]:  # fmt: skip
    previous = dict(zip([r.pk for r in revisions[1:]], revisions, strict=False))
    return [
        {
            "number": r.number,
            "label": revision_label(r.number, r.cause),
            "when": moment_words(r.seen_at, now, zone),
            "state": RevisionState(r.state).label,
            "tone": TONES.get(RevisionState(r.state), "bad"),
            "url": f"{reverse('case', args=[order.pk])}?revision={r.number}",
            "shown": shown is not None and r.pk == shown.pk,
            "changed": changes(previous[r.pk], r, files) if r.pk in previous else [],
        }
        for r in reversed(revisions)
    ]


def _picture(order: Order, file: ScanFile) -> dict[str, str]:
    return {"url": reverse("picture", args=[order.pk, file.pk]), "alt": file.name.rsplit("/", 1)[-1]}


def _file(order: Order, file: ScanFile) -> dict[str, Any]:
    return {
        "name": file.name.rsplit("/", 1)[-1],
        "role": SHOWN_ROLES.get(file.role, file.role) + (f" – {explain(file.problem)}" if file.problem else ""),
        "size": in_bytes(file.size),
        "sha256": file.sha256,
        "triangles": f"{file.triangles:,}" if file.triangles else "",
        "box": " × ".join(f"{side:.0f}" for side in file.box_mm) + " mm" if file.box_mm else "",
        "url": reverse("file", args=[order.pk, file.pk]),
    }


def _model(order: Order, file: ScanFile) -> dict[str, Any]:
    return {
        "role": file.role,
        "label": SHOWN_ROLES.get(file.role, "Scan") if file.role != "other" else file.name.rsplit("/", 1)[-1],
        "url": reverse("preview", args=[order.pk, file.pk]),
        "format": "ply",
        "bytes": file.size,
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
