"""On the case page: what the doctor was asked, so that who gets the re-scan can compare."""

from zoneinfo import ZoneInfo

from django.utils import timezone

from connector.orders.models import Order
from connector.orders.panels import Panel
from connector.orders.words import moment_words, revision_label
from connector.returns.models import Reason, Return, ReturnState
from labportal.labs.models import Lab, Membership

TONES = {ReturnState.QUEUED: "info", ReturnState.SENT: "waiting", ReturnState.REFUSED: "bad"}


def asked_of_the_doctor(order: Order, lab: Lab, membership: Membership) -> Panel | None:
    """Newest first; None when the case was never returned."""
    now, zone = timezone.now(), ZoneInfo(lab.time_zone)
    rows = Return.objects.of(lab).filter(order=order).select_related("by", "revision")
    returns = [
        {
            "reason": Reason(row.reason).label,
            "comment": row.comment,
            "scan": revision_label(row.revision.number, row.revision.cause),
            "when": moment_words(row.created_at, now, zone),
            "who": row.by.display_name if row.by else "",
            **_state(row, order),
        }
        for row in rows
    ]
    return {"template": "returns/_case_panel.html", "returns": returns} if returns else None


def _state(row: Return, order: Order) -> dict[str, str]:
    """A sent one waits until the doctor's re-scan is here."""
    if row.state == ReturnState.SENT and order.latest_number > row.revision.number:
        return {"state": "Re-scan is here", "tone": "ok"}
    return {"state": row.state_label, "tone": TONES[ReturnState(row.state)]}
