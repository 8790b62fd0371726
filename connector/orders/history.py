"""The case's timeline and the lab's outgoing event sequence."""

from typing import Any

from django.utils import timezone

from connector.orders.models import Event, EventHead, Order, Revision, TimelineEvent
from connector.pairing.words import reason_words
from connector.scans.examination import FAILURE_WORDS
from connector.scans.examination_record import PROBLEM_WORDS
from connector.scans.rejection import WORDS as ARCHIVE_WORDS
from labportal.faults import fault
from labportal.labs.models import User

WORDS = {
    "seen": "Align lists this case: {status}",
    "notified": "Notification from Align",
    "status": "Align's status is now “{status}”",
    "fetching": "Download started",
    "retry": "Download failed: {reason}",
    "stored": "Revision {number} stored and verified ({size})",
    "ready": "Files read, 3D preview made",
    "damaged": "Checked revision {number}: {reason}",
    "preview_again": "A preview or picture of revision {number} was damaged: it is made again",
    "readmitted": "Revision {number}: the right file is back in its place",
    "unreadable": "The zip is stored, but not all of it could be read: {reason}",
    "stopped": "Stopped: {reason}",
    "superseded": "Revision {number} was replaced at Align before it was fetched",
    "asked": "All scan files asked for",
    "pictures": "Pictures fetched",
    "viewed": "Viewed",
    "downloaded": "Downloaded: {what}",
    "exported": "Sent to the lab's own system",
    "dismissed": "Taken off “Needs attention”: {note}",
    "workflow": "Marked “{workflow}”",
    "return_queued": "Return to doctor asked for: {reason_label}",
    "return_sent": "Returned to the doctor",
    "return_found": "Align says that the case is with the doctor already",
    "return_unsent": "The return was not sent to Align: {reason}",
    "return_refused": "Align refused the return: {reason}",
    "return_dismissed": "Refused return taken off “Needs attention”: {note}",
    "rescan": "The doctor's re-scan is here",
    "erased": "Removed: {why}",
    "revived": "Align lists a newer scan of this case, which had been removed here",
    "held": "Legal hold: this case is kept until it is released",
    "released": "The legal hold is released",
}


def record(order: Order, kind: str, *, revision: Revision | None = None, by: User | None = None, **facts: Any) -> None:
    """Write one line of the case's timeline, in the running transaction."""
    TimelineEvent.objects.create(
        lab_id=order.lab_id, order=order, revision=revision, at=timezone.now(), kind=kind, facts=facts, by=by
    )


def in_words(event: TimelineEvent) -> str:
    facts = dict(event.facts)
    if "reason" in facts:
        facts["reason"] = _reason(event.kind, facts["reason"])
    try:
        return WORDS[event.kind].format(**facts)
    except (KeyError, IndexError):
        return event.kind


def _reason(kind: str, code: str) -> str:
    """Our own trouble with reading a zip and Align's trouble share a code or two; the kind tells them apart."""
    own = FAILURE_WORDS.get(code) if kind == "unreadable" else None
    return own or ARCHIVE_WORDS.get(code) or PROBLEM_WORDS.get(code) or reason_words(code)


def announce(revision: Revision, kind: str) -> Event:
    """Append to the lab's gap-free outgoing sequence; call it inside the transaction that makes the fact true."""
    head, _ = EventHead.objects.select_for_update().get_or_create(lab_id=revision.lab_id)
    head.last += 1
    head.save(update_fields=["last"])
    event = Event.objects.create(
        lab_id=revision.lab_id, seq=head.last, kind=kind, order_id=revision.order_id, revision=revision
    )
    fault("store.after_event")
    return event
