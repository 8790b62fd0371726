"""What the Connections page says of a pairing, in words."""

from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone

from connector.pairing.health import ago, health
from connector.pairing.models import FetchMode, Pairing, State
from connector.pairing.words import reason_words

HINTS = {
    FetchMode.FULL: "Cases are ready to open at once. Align then takes them off the “new” list of every other program "
    "that uses this account, such as exocad.",
    FetchMode.THUMBNAILS: "Cases appear with their pictures; press “Get all scan files” in a case to fetch the scan.",
    FetchMode.ON_CLICK: "Cases appear without files; press “Get all scan files” in a case to fetch the scan.",
}
KINDS = {"poll": "Look at Align's list", "notification": "Notification from Align"}
RUN_WORDS = {
    "running": ("Running", "info"), "new": ("New cases", "ok"), "nothing_new": ("Nothing new", "ok"),
    "failed": ("Failed", "bad"),
}  # fmt: skip


def fetch_modes(selected: str) -> list[dict[str, Any]]:
    return [
        {"value": mode.value, "label": mode.label, "hint": HINTS[mode], "selected": mode.value == selected}
        for mode in FetchMode
    ]


def connection(pairing: Pairing, *, trouble: str) -> dict[str, Any]:
    now = timezone.now()
    state = health(pairing, now, trouble=trouble)
    linked = pairing.state in {State.ACTIVE, State.FORBIDDEN, State.NEEDS_PAIRING}
    live = pairing.state in {State.ACTIVE, State.FORBIDDEN}
    tone = state.tone
    return {
        "id": pairing.pk,
        "account_name": pairing.account_name,
        "account_id": pairing.account_id,
        "region": pairing.region,
        "state": state.state,
        "tone": tone,
        "health": state.sentence,
        "facts": _facts(pairing, now) if linked else [],
        "fetch_mode": pairing.fetch_mode,
        "fetch_modes": fetch_modes(pairing.fetch_mode),
        "urls": {
            "test": _url("connection_test", pairing) if live else "",
            "sync": _url("connection_sync", pairing) if live else "",
            "mode": _url("connection_mode", pairing),
            "unpair": _url("connection_unpair", pairing) if linked else "",
            "reconnect": _url("connection_reconnect", pairing)
            if (tone == "bad" and not (trouble and live)) or pairing.state == State.UNPAIRED
            else "",
        },
        "runs": [_run(run, now) for run in pairing.runs.all()[:8]],
    }


def _url(name: str, pairing: Pairing) -> str:
    return reverse(name, args=[pairing.pk])


def _facts(pairing: Pairing, now: Any) -> list[tuple[str, str]]:
    zone = ZoneInfo(timezone.get_current_timezone_name())
    valid = pairing.access_expires_at
    told = pairing.alarms.filter(ended_at=None).exclude(told_at=None).values_list("told_at", flat=True)
    return [
        *(("Owners told by mail", ago(moment, now)) for moment in told),
        ("Last checked", ago(pairing.polled_at, now)),
        ("Last new case", ago(pairing.order_at, now)),
        ("Last notification", ago(pairing.notified_at, now)),
        ("Sign-in renewed by itself", ago(pairing.refreshed_at, now)),
        ("Renewed again by", valid.astimezone(zone).strftime("%-d %b %H:%M") if valid else "–"),
    ]


def _run(run: Any, now: Any) -> dict[str, str]:
    words, tone = RUN_WORDS.get(run.status, (run.status, "info"))
    counts = f"{run.listed} listed, {run.new} new" + (f", {run.malformed} unreadable" if run.malformed else "")
    return {
        "when": ago(run.started_at, now),
        "kind": KINDS.get(run.kind, run.kind),
        "status": f"{words}: {reason_words(run.reason)}" if run.reason else words,
        "tone": tone,
        "counts": counts,
    }
