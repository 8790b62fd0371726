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
from labportal.sealing import SealError

PAUSE_FIRST, PAUSE_MAX = 30.0, 3600.0
# States in which Align may still be asked with the pairing's tokens.
CALLABLE = (State.ACTIVE, State.FORBIDDEN, State.UNPAIRING)
# Wrong settings of this installation: they concern every call, so no order may be given up for them.
SETTINGS = (InvalidClient, HostNotAllowed)
PAUSES = (RateLimited, VendorUnavailable, *SETTINGS)


class PairingStopped(Exception):
    """The pairing can't call Align until a person acts; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def give_up(lab_id: UUID, pairing_id: UUID, error: IteroError) -> NoReturn:
    """Raise the error after the row says what it means: 403 stops the pairing; 429, 5xx, wrong settings pause it.

    What no other order would survive either is raised as PairingStopped.
    """
    if isinstance(error, (Forbidden, *PAUSES)):
        with in_lab(lab_id):
            pairing = lock(lab_id, pairing_id)
            if isinstance(error, Forbidden):
                wait_for_person(pairing, State.FORBIDDEN, error.code)
            else:
                pause(pairing, error)
    if isinstance(error, SETTINGS):
        raise PairingStopped(error.code) from error
    raise error


def end_sign_in(lab_id: UUID, pairing_id: UUID, error: Unauthorized, *, refused_token: str) -> None:
    """A 401 stops the pairing, raised as PairingStopped; but only if the refused token is still the stored one. Else
    another worker refreshed in that moment, or a person signed in anew: then it returns, and the new set may be tried.
    """
    with in_lab(lab_id):
        pairing = lock(lab_id, pairing_id)
        if not _is_stored(pairing, refused_token):
            return
        wait_for_person(pairing, State.NEEDS_PAIRING, error.code)
    raise PairingStopped(error.code) from error


def _is_stored(pairing: Pairing, access_token: str) -> bool:
    try:
        return pairing.tokens.access_token == access_token
    except SealError:
        return False  # whoever opens the set says what is the matter with it


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
