"""What a failed call means for the whole pairing, written to its row: pause and go on alone, or wait for a person."""

import random
from datetime import timedelta
from typing import NoReturn
from uuid import UUID

from django.utils import timezone

from connector.itero.errors import (
    Forbidden,
    HostNotAllowed,
    InvalidClient,
    IteroError,
    RateLimited,
    Unauthorized,
    VendorUnavailable,
)
from connector.pairing.models import Pairing, State
from labportal.doorbell import ring
from labportal.labs.tenancy import in_lab

PAUSE_FIRST, PAUSE_MAX = 30.0, 3600.0
# States in which Align may still be asked with the pairing's tokens.
CALLABLE = (State.ACTIVE, State.FORBIDDEN, State.UNPAIRING)
# Wrong settings of this installation: they concern every call, so no order may be given up for them.
SETTINGS = (InvalidClient, HostNotAllowed)
PAUSES = (RateLimited, VendorUnavailable, *SETTINGS)
STOPS: dict[type[IteroError], State] = {Unauthorized: State.NEEDS_PAIRING, Forbidden: State.FORBIDDEN}


class PairingStopped(Exception):
    """The pairing can't call Align until a person acts; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def give_up(lab_id: UUID, pairing_id: UUID, error: IteroError) -> NoReturn:
    """Raise the error after the row says what it means: 401, 403 stop the pairing; 429, 5xx, wrong settings pause it.

    What no other order would survive either is raised as PairingStopped.
    """
    stops = STOPS.get(type(error))
    if stops or isinstance(error, PAUSES):
        with in_lab(lab_id):
            pairing = lock(lab_id, pairing_id)
            if stops:
                wait_for_person(pairing, stops, error.code)
            else:
                pause(pairing, error)
    if isinstance(error, (Unauthorized, *SETTINGS)):
        raise PairingStopped(error.code) from error
    raise error


def lock(lab_id: UUID, pairing_id: UUID) -> Pairing:
    """The row, for writing. Without its key: orders and runs that point at it can be added meanwhile."""
    return Pairing.objects.of(lab_id).select_for_update(no_key=True).get(pk=pairing_id)


def pause(pairing: Pairing, error: IteroError) -> None:
    """The locked pairing asks nothing for a while; an error of one order never does this. A longer pause that is in
    force stays, with its reason: another worker may have heard it."""
    if pairing.state not in CALLABLE:
        return
    now = timezone.now()
    until = now + timedelta(seconds=back_off(pairing.failures, error.retry_after))
    pairing.failures += 1
    if pairing.paused_until is None or pairing.paused_until < until:
        pairing.paused_until, pairing.reason, pairing.reason_at = until, error.code, now
    pairing.save(update_fields=["paused_until", "failures", "reason", "reason_at"])


def wait_for_person(pairing: Pairing, state: State, code: str) -> None:
    """The locked pairing stops; but one that is being ended is ended, whatever Align answers."""
    if pairing.state not in CALLABLE or pairing.state == State.UNPAIRING:
        return
    pairing.state, pairing.reason, pairing.reason_at = state, code, timezone.now()
    pairing.save(update_fields=["state", "reason", "reason_at"])
    ring("connector.pairing.tasks.alarm", pairing.lab_id, pairing.pk)


def back_off(failures: int, retry_after: float | None = None, *, longest: float = PAUSE_MAX) -> float:
    """Seconds to wait: what Align asked for, else doubling from 30 s to the longest; with up to a fifth of jitter."""
    wait = max(retry_after, 1.0) if retry_after is not None else min(PAUSE_FIRST * 2 ** min(failures, 10), longest)
    return wait * random.uniform(1.0, 1.2)  # noqa: S311 - jitter against a herd, not a secret
