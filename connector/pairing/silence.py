"""How long a pairing has brought in nothing, and why: the dead-man's switch, reckoned by whoever looks.

Pages reckon it themselves, so that it shows although no worker lives; the alarms' mail (alarms.py) goes by the same.
"""

from datetime import datetime, timedelta

from django.conf import settings

from connector.pairing.models import Pairing, State

NOT_LOOKED = "not_looked"
POLLED = (State.ACTIVE, State.FORBIDDEN)


def missed_looks(pairing: Pairing) -> timedelta:
    """From when on pages say "Not checked": three looks missed, and two minutes."""
    return timedelta(seconds=3 * pairing.poll_seconds + 120)


def longest_silence(pairing: Pairing) -> timedelta:
    """From when on the owners are told by mail; never sooner than the pages."""
    return max(timedelta(minutes=settings.SYNC_ALARM_MINUTES), missed_looks(pairing))


def last_sign(pairing: Pairing) -> datetime | None:
    """When Align was last looked at with success, or when the pairing was made (again) since."""
    return max((moment for moment in (pairing.succeeded_at, pairing.paired_at) if moment), default=None)


def silent_for(pairing: Pairing, now: datetime) -> timedelta:
    """How long no look has succeeded; nothing for a pairing that is not looked at."""
    last = last_sign(pairing)
    return now - last if last and pairing.state in POLLED else timedelta(0)


def cause(pairing: Pairing, trouble: str) -> str:
    """The reason code of a silence. `trouble` is what ails the whole portal (safe mode, no worker), '' if nothing."""
    return trouble or pairing.reason or NOT_LOOKED
