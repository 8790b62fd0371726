"""What an owner or the operator does with a pairing; pages and admin actions call the same."""

from django.utils import timezone

from connector.itero.errors import IteroError, RateLimited
from connector.pairing.access import Access, PairingStopped, call
from connector.pairing.models import FetchMode, Pairing, State
from labportal.audit.services import record
from labportal.doorbell import ring_tick
from labportal.labs.tenancy import in_lab


def sync_now(*, pairing: Pairing) -> None:
    """Make the next look at Align's list due now."""
    rows = Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk, state__in=[State.ACTIVE, State.FORBIDDEN])
    rows.update(next_due=timezone.now())
    record("pairing.sync_asked", lab_id=pairing.lab_id, target=pairing)
    ring_tick()


def set_fetch_mode(*, pairing: Pairing, fetch_mode: str) -> bool:
    """What new cases fetch by themselves; False for an unknown word."""
    if fetch_mode not in FetchMode.values:
        return False
    Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk).update(fetch_mode=fetch_mode)
    record("pairing.fetch_mode_changed", lab_id=pairing.lab_id, target=pairing, mode=fetch_mode)
    return True


def check_connection(*, pairing: Pairing) -> str:
    """Ask Align two harmless questions, Discovery and the first page of Get Orders, which asks for the account's own
    permission; '' when both are answered, else the reason code. No transaction is open."""
    try:
        call(pairing.lab_id, pairing.pk, _harmless)
    except (IteroError, PairingStopped) as error:
        record("pairing.tested", lab_id=pairing.lab_id, target=pairing, problem=error.code)
        return error.code
    with in_lab(pairing.lab_id):
        # It works again, so nothing need wait; but when Align asked for less traffic, that holds.
        rows = Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk, state__in=[State.ACTIVE, State.FORBIDDEN])
        rows.exclude(reason=RateLimited.code).update(
            state=State.ACTIVE, reason="", reason_at=None, failures=0, paused_until=None, next_due=timezone.now()
        )
        record("pairing.tested", lab_id=pairing.lab_id, target=pairing, problem="")
    return ""


def _harmless(access: Access) -> None:
    endpoints = access.client.discovery(access_token=access.access_token)
    next(access.client.get_orders(endpoints, access_token=access.access_token), None)
