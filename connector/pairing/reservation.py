"""Taking an Align account for one lab, before Align is asked: one pairing per account in the whole installation."""

import secrets
import uuid
from contextlib import suppress
from datetime import timedelta

from django.db import IntegrityError, connection
from django.utils import timezone

from connector.pairing.models import Pairing, State
from connector.pairing.trouble import lock
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

HELD = timedelta(minutes=15)


class ConnectRefused(Exception):
    """Connecting stopped; `code` names the reason (words.py says it to people)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def account_link(account_id: str) -> tuple[uuid.UUID, uuid.UUID, str] | None:
    """(lab, pairing, state) that holds this Align account now, in any lab of the installation."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id, state FROM resolve.account_link(%s)", [account_id])
        row: tuple[uuid.UUID, uuid.UUID, str] | None = cursor.fetchone()
    return row


def reserve(lab: Lab, account_id: str, account_name: str) -> tuple[Pairing, str]:
    """The lab's row for this account, and the secret of its notification address, stored before Align has it.

    A pairing that is linked stays as it is until Pair has answered. Errors: ConnectRefused.
    """
    with in_lab(lab.pk):
        link = account_link(account_id)
        if link is not None and link[0] != lab.pk:
            raise ConnectRefused("taken")
        if link is not None and link[2] == State.UNPAIRING:
            raise ConnectRefused("disconnecting")
        row, _ = Pairing.objects.of(lab).get_or_create(
            lab=lab, account_id=account_id, defaults={"account_name": account_name, "state": State.UNPAIRED}
        )
        pairing = lock(lab.pk, row.pk)
        if not pairing.is_linked:
            pairing.state = State.CONNECTING
        if pairing.state == State.CONNECTING:
            pairing.next_due = timezone.now() + HELD
        secret = _callback_secret(pairing)
        try:
            pairing.save(update_fields=["state", "next_due", "sealed_callback", "callback_hash"])
        except IntegrityError as race:
            raise ConnectRefused("taken") from race
    return pairing, secret


def _callback_secret(pairing: Pairing) -> str:
    """The one that Align already knows; a new one for a fresh pairing, or when the old one can't be opened any more."""
    with suppress(SealError):
        if pairing.callback_secret:
            return pairing.callback_secret
    secret = secrets.token_urlsafe(32)
    pairing.set_callback_secret(secret)
    return secret


def release(pairing: Pairing) -> None:
    with in_lab(pairing.lab_id):
        reserved = Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk, state=State.CONNECTING)
        reserved.update(state=State.UNPAIRED, next_due=None)


def release_stale(lab_id: uuid.UUID, pairing_id: uuid.UUID) -> None:
    """A crash between the reservation and Pair's answer: the account is free again after a quarter of an hour."""
    with in_lab(lab_id):
        stale = Pairing.objects.of(lab_id).filter(pk=pairing_id, state=State.CONNECTING, next_due__lte=timezone.now())
        stale.update(state=State.UNPAIRED, next_due=None)
