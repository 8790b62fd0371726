"""What an owner or the operator does with a pairing; pages and admin actions call the same."""

from django.utils import timezone

from connector.itero.errors import IteroError
from connector.pairing.access import PairingStopped, call
from connector.pairing.models import FetchMode, Pairing, State
from connector.pairing.sealing import SealError
from labportal.doorbell import ring_tick
from labportal.labs.tenancy import in_lab


def sync_now(*, pairing: Pairing) -> None:
    """Make the next look at Align's list due now."""
    rows = Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk, state__in=[State.ACTIVE, State.FORBIDDEN])
    rows.update(next_due=timezone.now())
    ring_tick()


def set_fetch_mode(*, pairing: Pairing, fetch_mode: str) -> bool:
    """What new cases fetch by themselves; False for an unknown word."""
    if fetch_mode not in FetchMode.values:
        return False
    Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk).update(fetch_mode=fetch_mode)
    return True


def check_connection(*, pairing: Pairing) -> str:
    """Ask Align one harmless question (Discovery); '' when it answers, else the reason code. No transaction is open."""
    try:
        call(pairing.lab_id, pairing.pk, lambda access: access.client.discovery(access_token=access.access_token))
    except (IteroError, PairingStopped, SealError) as error:
        return error.code
    with in_lab(pairing.lab_id):
        Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk, state=State.FORBIDDEN).update(
            state=State.ACTIVE, reason="", reason_at=None, next_due=timezone.now()
        )
    return ""
