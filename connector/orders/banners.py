"""What every page of a lab says at its top: the portal stands still, its disk fills up, a connection needs a person.

Reckoned by the web process itself, so that it shows although no worker lives (docs/decisions/0019).
"""

import shutil
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse

from connector.pairing.health import health
from connector.pairing.models import Pairing
from labportal.keeping import safe_mode
from labportal.running.heartbeat import QUEUE_STUCK, WORKER_DOWN

DISK_LOW = 5 * 1024**3  # bytes; below 2 GB no download is started any more
STANDS_STILL = {
    WORKER_DOWN: "The portal's background worker is not running, so no new cases come in and no returns go out.",
    QUEUE_STUCK: "The portal's background work stands still, so no new cases come in and no returns go out.",
}
NOTHING_LOST = "Nothing is lost: cases wait at Align and come in by themselves afterwards. Tell the operator."
NEARLY_FULL = (
    "The portal's disk is nearly full. When it is full, no scans are downloaded until the operator has made room. "
    "Nothing is lost: they wait at Align. Tell the operator."
)


_makers: list[Callable[[Any], dict[str, str] | None]] = []


def on_banner(make: Callable[[Any], dict[str, str] | None]) -> None:
    """Register what an app above this one has to say to a lab's people; None when there is nothing."""
    _makers.append(make)


def banners(request: Any, pairings: list[Pairing], trouble: str) -> list[dict[str, str]]:
    """`trouble` is what ails the whole portal (connector/pairing/portal_trouble.py): said once, not for each
    connection that it stops."""
    found = []
    if trouble == "safe_mode":
        found.append({"tone": "bad", "text": safe_mode.BANNER})
    elif trouble:
        found.append({"tone": "bad", "text": f"{STANDS_STILL[trouble]} {NOTHING_LOST}"})
    if _disk_is_low():
        found.append({"tone": "bad", "text": NEARLY_FULL})
    found += [banner for make in _makers if (banner := make(request))]
    return [*found, *(banner for pairing in pairings if (banner := _of(pairing, request, trouble)))]


def _disk_is_low() -> bool:
    try:
        return shutil.disk_usage(settings.SCANS_DIR).free < DISK_LOW
    except OSError:
        return False  # no scan was ever stored here


def _of(pairing: Pairing, request: Any, trouble: str) -> dict[str, str] | None:
    """A connection that waits for a person, or is not checked: what happened, what it means, what to do."""
    state = health(pairing, trouble=trouble)
    if state.tone != "bad" or (trouble and pairing.state == "active"):
        return None
    manages = request.membership.may_manage
    return {
        "tone": "warn",
        "text": f"The connection “{pairing.account_name}”: {state.sentence}",
        "action_label": "Connections" if manages else "",
        "action_url": reverse("connections") if manages else "",
    }
