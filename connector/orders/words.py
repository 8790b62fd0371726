"""What lists and pages say of an order: dates, statuses, teeth, in the lab's words."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connector.orders.models import RevisionState, Workflow
from connector.scans.teeth import ada_to_fdi
from labportal.labs.models import Lab

WHOLE = "%-d %b %Y, %H:%M"  # a point in time that is read on another day, as on paper
CAUSES = {"first": "First scan", "rescan": "Re-scan", "modeling": "Modeling", "update": "Update"}


def due_words(due: date | None, today: date) -> tuple[str, str]:
    """("Fri 27 Nov", tone): bad on the day it is late, warn on the day before and the day itself."""
    if due is None:
        return "", ""
    days = (due - today).days
    tone = "bad" if days < 0 else "warn" if days <= 1 else ""
    text = due.strftime("%a %-d %b") if due.year == today.year else due.strftime("%-d %b %Y")
    return text, tone


def since(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """How long ago, short: 40 s, 11 min, 5 h, yesterday, 12 Nov."""
    seconds = int((now - moment).total_seconds())
    if seconds < 60:
        return f"{max(seconds, 0)} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    days = (now.astimezone(zone).date() - moment.astimezone(zone).date()).days
    if days == 0 or seconds < 6 * 3600:
        return f"{seconds // 3600} h"
    if days == 1:
        return "yesterday"
    return moment.astimezone(zone).strftime("%-d %b" if days < 300 else "%-d %b %Y")


def moment_words(moment: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    """A point in time on a case page: "08:41" today, else "21 Nov 08:41"."""
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    return local.strftime("%H:%M" if local.date() == now.astimezone(zone).date() else "%-d %b %H:%M")


def tooth_label(tooth: int | None, notation: str) -> str:
    """The tooth in the lab's notation; Align counts in ADA (universal) numbers."""
    if tooth is None:
        return ""
    if notation == Lab.Notation.FDI and 1 <= tooth <= 32:
        return str(ada_to_fdi(tooth))
    return str(tooth)


def teeth_words(teeth: list[int], shade: str, notation: str) -> str:
    """ "26, 27 · A2"; a long run is shortened to its ends and its number."""
    labels = [tooth_label(tooth, notation) for tooth in teeth]
    shown = ", ".join(labels) if len(labels) <= 6 else f"{labels[0]} … {labels[-1]} ({len(labels)})"
    return " · ".join(part for part in (shown, shade) if part)


def revision_label(number: int, cause: str) -> str:
    """ "First scan", "Re-scan 2", "Modeling 3"."""
    word = CAUSES.get(cause, "Update")
    return word if cause == "first" else f"{word} {number}"


def badge(number: int, cause: str | None) -> str:
    return "" if number <= 1 or cause is None else revision_label(number, cause).lower()


def status_words(row: dict[str, Any], now: datetime) -> tuple[str, str]:
    """(words, tone) of one order: what is wrong first, then who has it, then what Align says."""
    state = row["state"]
    if row["problem"]:
        return "Needs attention", "bad"
    if row["waiting_since"] is not None:
        days = (now - row["waiting_since"]).days
        return f"Waiting for doctor{f' {days} d' if days else ''}", "waiting"
    if state in {RevisionState.SEEN, RevisionState.FETCHING}:
        return "Coming in", "fetching"
    if state == RevisionState.RETRY:
        return "Trying again", "fetching"
    if row["workflow"] == Workflow.DONE:
        return "Done", "done"
    if row["workflow"] == Workflow.IN_WORK:
        return "In work", "work"
    if state == RevisionState.ASKED_LATER:
        return "At Align", "review"
    if row["vendor_status"] in {"Ready for Download", ""}:
        return "New", "new"
    return row["vendor_status"], "review"
