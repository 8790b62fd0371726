"""Taking an Align account for one lab, before Align is asked: one pairing per account in the whole installation."""

import uuid
from datetime import timedelta

from django.db import IntegrityError, connection
from django.utils import timezone

from connector.pairing.callbacks import new_callback
from connector.pairing.models import Pairing, State
from connector.pairing.trouble import lock
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab

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
    """The lab's row for this account, and the secret of a fresh notification address; its hash is stored already.

    A pairing that is linked stays as it is until Pair has answered, and so does its address. Errors: ConnectRefused.
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
        secret = new_callback(pairing)
        try:
            pairing.save(update_fields=["state", "next_due", "told_callback_hashes"])
        except IntegrityError as race:
            raise ConnectRefused("taken") from race
    return pairing, secret


def release(pairing: Pairing) -> None:
    with in_lab(pairing.lab_id):
        reserved = Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk, state=State.CONNECTING)
        reserved.update(state=State.UNPAIRED, next_due=None)


def release_stale(lab_id: uuid.UUID, pairing_id: uuid.UUID) -> None:
    """A crash between the reservation and Pair's answer: the account is free again after a quarter of an hour."""
    with in_lab(lab_id):
        stale = Pairing.objects.of(lab_id).filter(pk=pairing_id, state=State.CONNECTING, next_due__lte=timezone.now())
        stale.update(state=State.UNPAIRED, next_due=None)
