"""What intake asks of a pairing's row, and the marks it leaves there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q

from connector.pairing.models import Pairing


def not_paused(now: datetime) -> Q:
    """Align may be asked: no "slow down" or "out of order" is in force."""
    return Q(paused_until=None) | Q(paused_until__lte=now)


def mark(lab_id: UUID, pairing_id: UUID, **marks: Any) -> None:
    """Note when something last happened, in the running transaction. Skipped while another worker holds the row: a
    refresh holds it as long as Align takes to answer, and a mark is not worth waiting for."""
    rows = Pairing.objects.of(lab_id)
    free = rows.filter(pk=pairing_id).select_for_update(skip_locked=True, no_key=True).values("pk")
    rows.filter(pk__in=free).update(**marks)
