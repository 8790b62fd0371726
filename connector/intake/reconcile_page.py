"""What the reconciliation page of a connection says, in words."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from connector.intake.bookkeeping import Reconciliation
from connector.orders.models import Order
from connector.orders.words import moment_words
from connector.pairing.models import Pairing, State
from connector.pairing.words import connect_words
from labportal.labs.models import Lab, Membership

RUNS_SHOWN = 14
DIFFERENCES = {
    "bad_answer": "Align's data of this case can't be read, so it is not here. Tell the operator.",
    "not_found": "It is here without files, and Align no longer knows it. Ask the practice to send it again.",
    "not_recorded": "Align shows a scan of this case, but it could not be recorded here. Tell the operator the number.",
}
ENDED = {
    "interrupted": "The comparison was interrupted. It starts again by itself.",
    "not_paired": "The connection does not work at the moment, so Align was not asked. See Connections.",
}


def reconciliation_page(pairing: Pairing, *, lab: Lab, membership: Membership) -> dict[str, Any]:
    """The template's context: the newest run in full, the earlier ones as lines."""
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    runs = list(Reconciliation.objects.of(lab).filter(pairing=pairing).select_related("by")[:RUNS_SHOWN])
    running = next((run for run in runs if run.ended_at is None), None)
    ended = [run for run in runs if run.ended_at is not None]
    may = membership.may_work and pairing.state == State.ACTIVE
    return {
        "pairing": {"name": pairing.account_name, "account_id": pairing.account_id},
        "latest": _full(ended[0], lab, now, zone) if ended else None,
        "running": moment_words(running.started_at, now, zone) if running else "",
        "runs": [_line(run, now, zone) for run in ended],
        "run_url": reverse("reconciliation_run", args=[pairing.pk]) if may else "",
        "here_url": reverse("reconciliation", args=[pairing.pk]),
        "days": settings.RECONCILE_DAYS,
    }


def _here(run: Reconciliation) -> int:
    return run.stored + run.pending + run.failed + run.removed


def _full(run: Reconciliation, lab: Lab, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    here = _here(run)
    state, tone = _outcome(run)
    return {
        "state": state,
        "tone": tone,
        "text": _sentence(run, here),
        "when": moment_words(run.ended_at, now, zone),
        "who": run.by.display_name if run.by else "",
        "known": run.known,
        "parts": [
            {"label": "Stored here", "count": run.stored, "tone": "ok"},
            {"label": "Not fetched yet", "count": run.pending, "tone": "info"},
            {"label": "Failed", "count": run.failed, "tone": "bad" if run.failed else ""},
            *([{"label": "Removed by your lab", "count": run.removed, "tone": ""}] if run.removed else []),
            {"label": "Not here", "count": run.known - here, "tone": "bad" if run.known != here else ""},
        ],
        "attention_url": reverse("attention") if run.failed else "",
        "facts": [
            ("On Align's list of new cases", run.listed),
            ("Asked one by one", run.asked),
            ("Left for the next comparison", run.unasked),
            ("Missing here, recorded now", run.missing_recorded),
            ("Without a scan at Align now", max(run.listed + run.asked - run.known, 0)),
        ],
        "differing": _differing(run, lab),
    }


def _outcome(run: Reconciliation) -> tuple[str, str]:
    if run.reason:
        return "Not finished", "bad"
    if run.differing or run.known != _here(run):
        return "Differs", "bad"
    if run.missing_recorded:
        return "Repaired", "info"
    return ("Some failed", "warn") if run.failed else ("Equal", "ok")


def _sentence(run: Reconciliation, here: int) -> str:
    if run.reason:
        return ENDED.get(run.reason) or connect_words(run.reason)
    if run.known != here:
        return "Some scans that Align shows are not here. They are named below."
    if run.differing:
        return "Every scan that Align shows is here. Some cases need a look; they are named below."
    if run.missing_recorded == 1:
        return "One scan was missing here. It is recorded now and is being fetched."
    if run.missing_recorded:
        return f"{run.missing_recorded} scans were missing here. They are recorded now and are being fetched."
    if run.failed:
        files = "the files of one" if run.failed == 1 else f"the files of {run.failed}"
        return f"Every scan that Align shows is known here, but {files} could not be fetched."
    if run.pending:
        return "Every scan that Align shows is known here. Not all of them are fetched yet."
    return "Every scan that Align shows is here."


def _differing(run: Reconciliation, lab: Lab) -> list[dict[str, str]]:
    """Each with the patient's name and a link where the case is here."""
    names = [name for name, _ in run.differing]
    ours = Order.objects.of(lab).filter(pairing_id=run.pairing_id, order_id__in=names)
    cases = {order.order_id: order for order in ours}
    return [
        {
            "order_id": f"A case without a number (place {name.split()[-1]} on Align's list)" if " " in name else name,
            "patient": (cases[name].patient or "No name") if name in cases else "",
            "url": reverse("case", args=[cases[name].pk]) if name in cases else "",
            "text": DIFFERENCES.get(code) or connect_words(code),
        }
        for name, code in run.differing
    ]


def _line(run: Reconciliation, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    state, tone = _outcome(run)
    return {
        "when": moment_words(run.started_at, now, zone), "state": state, "tone": tone, "known": run.known,
        "stored": run.stored, "pending": run.pending, "failed": run.failed, "missing": run.missing_recorded,
        "who": run.by.display_name if run.by else "by itself",
    }  # fmt: skip
