"""What owners do: say how long cases are kept, put holds and release them."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from connector.orders.history import record
from connector.orders.models import Order
from connector.retention.models import CaseHold, LabHold, RetentionPolicy
from connector.retention.rules import LONGEST, SHORTEST, THINK_IT_OVER, one_at_a_time
from labportal.audit import services as audit
from labportal.labs.models import Lab, User

REASON_MAX = 300
HELD_ALREADY = "There is a hold on it already."


class NotPossible(Exception):
    """What was asked for can't be done; `words` say why, to the person who asked."""

    def __init__(self, words: str) -> None:
        super().__init__(type(self).__name__)
        self.words = words


def cleaned(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())


def read_days(text: str) -> int | None:
    """Days as typed; empty is for ever. Errors: NotPossible."""
    text = text.strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 7 and SHORTEST <= int(text) <= LONGEST):
        raise NotPossible(f"Give a number of days from {SHORTEST} to {LONGEST:,}, or leave it empty to keep all cases.")
    return int(text)


def set_policy(*, lab: Lab, days: int | None, by: User) -> RetentionPolicy:
    """Keep cases `days` days (None: for ever). A stricter policy removes its first case a day later."""
    now = timezone.now()
    one_at_a_time(lab.pk)
    before = RetentionPolicy.objects.of(lab).first()
    policy, _ = RetentionPolicy.objects.update_or_create(
        lab=lab, defaults={"days": days, "starts_at": _starts(before, days, now), "changed_by": by}
    )
    audit.record("retention.changed", lab_id=lab.pk, days=days)
    return policy


def _starts(before: RetentionPolicy | None, days: int | None, now: datetime) -> datetime:
    stricter = days is not None and (before is None or before.days is None or days < before.days)
    if stricter:
        return now + THINK_IT_OVER
    return before.starts_at if before else now


def hold_case(*, order: Order, reason: str, by: User) -> CaseHold:
    """Keep one case until the hold is released. Errors: NotPossible."""
    why = _reason(reason)
    one_at_a_time(order.lab_id)
    if not Order.objects.of(order.lab_id).filter(pk=order.pk).exists():
        raise NotPossible("This case has been removed meanwhile.")
    try:
        with transaction.atomic():
            held = CaseHold.objects.create(lab_id=order.lab_id, order=order, reason=why, by=by)
    except IntegrityError:
        raise NotPossible(HELD_ALREADY) from None
    record(order, "held", by=by)
    audit.record("hold.set", lab_id=order.lab_id, target=order)
    return held


def hold_lab(*, lab: Lab, reason: str, by: User) -> LabHold:
    """Keep all cases of the lab until the hold is released. Errors: NotPossible."""
    why = _reason(reason)
    one_at_a_time(lab.pk)
    try:
        with transaction.atomic():
            held = LabHold.objects.create(lab=lab, reason=why, by=by)
    except IntegrityError:
        raise NotPossible(HELD_ALREADY) from None
    audit.record("hold.set", lab_id=lab.pk, target=lab)
    return held


def _reason(text: str) -> str:
    if reason := cleaned(text)[:REASON_MAX]:
        return reason
    raise NotPossible("Write the reason first: who needs it kept, and for what?")


def release(*, held: CaseHold | LabHold, by: User) -> None:
    """End a hold."""
    one_at_a_time(held.lab_id)
    held.released_at, held.released_by = timezone.now(), by
    held.save(update_fields=["released_at", "released_by"])
    audit.record("hold.released", lab_id=held.lab_id, target=held.order if isinstance(held, CaseHold) else held.lab)
    if isinstance(held, CaseHold):
        record(held.order, "released", by=by)
