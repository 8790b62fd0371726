"""A pairing's health in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from connector.pairing.models import Pairing, State
from connector.pairing.silence import cause, missed_looks, silent_for
from connector.pairing.words import reason_words


@dataclass(frozen=True)
class Health:
    """`tone` is ok, warn or bad; `state` two words; `sentence` what it means."""

    tone: str
    state: str
    sentence: str


def health(pairing: Pairing, now: datetime | None = None, *, trouble: str = "") -> Health:
    """`trouble` is what ails the whole portal (portal_trouble.py): it goes before what the row says."""
    now = now or timezone.now()
    label = State(pairing.state).label if pairing.state in State.values else pairing.state
    if pairing.state in {State.NEEDS_PAIRING, State.FORBIDDEN}:
        return Health("bad", label, reason_words(pairing.reason) + " Nothing is lost.")
    if pairing.state in {State.UNPAIRING, State.UNPAIRED, State.CONNECTING}:
        words = {
            State.UNPAIRING: "We are telling Align that this connection ends. " + reason_words(pairing.reason),
            State.UNPAIRED: "No new cases come in. The cases that came before stay here.",
            State.CONNECTING: "The connection is being made.",
        }
        return Health("warn", label, words[State(pairing.state)].strip())
    if silent_for(pairing, now) > missed_looks(pairing):
        when = f"last checked {ago(pairing.succeeded_at, now)}" if pairing.succeeded_at else "never checked"
        why = reason_words(cause(pairing, trouble)) + _again(pairing, now)
        return Health("bad", "Not checked", f"Align was {when}. {why} Nothing is lost: cases wait at Align.")
    if pairing.paused_until and pairing.paused_until > now:
        return Health("warn", "Paused", reason_words(pairing.reason) + _again(pairing, now))
    if _new(pairing):
        return Health("warn", label, reason_words(pairing.reason) or "The first check is on its way.")
    return Health("ok", label, f"Align was checked {ago(pairing.succeeded_at, now)}. Cases come in by themselves.")


def _again(pairing: Pairing, now: datetime) -> str:
    """When a pause that Align asked for ends, if it takes longer than a minute."""
    until = pairing.paused_until
    if until is None or until - now <= timedelta(minutes=1):
        return ""
    return f" The next try is at {timezone.localtime(until):%H:%M}."


def _new(pairing: Pairing) -> bool:
    """Connected, or connected again, and not looked at since."""
    return pairing.succeeded_at is None or bool(pairing.paired_at and pairing.succeeded_at < pairing.paired_at)


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """In words: 40 s ago, 2 min ago, 3 h ago, yesterday, 12 Nov."""
    if moment is None:
        return "never"
    seconds = int(((now or timezone.now()) - moment).total_seconds())
    if seconds < 5:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86400:
        return f"{seconds // 3600} h ago"
    days = seconds // 86400
    return (
        "yesterday" if days == 1 else f"{days} days ago" if days < 14 else timezone.localtime(moment).strftime("%-d %b")
    )
