"""Un Pair and Revoke, asked for once and retried until Align confirms."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from connector.itero.errors import HumanError, InvalidClient, IteroError, NoSuchPage
from connector.pairing import vendor
from connector.pairing.access import ADDRESS_GONE, PairingStopped, access_for, back_off, refresh
from connector.pairing.models import Pairing, State
from connector.pairing.trouble import SETTINGS
from labportal.audit.services import record
from labportal.doorbell import ring_tick
from labportal.keeping import safe_mode
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError


def begin_unpair(*, pairing: Pairing) -> None:
    """Stop fetching now; Align is told by a task. Cases and files stay."""
    now = timezone.now()
    rows = Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk).exclude(state=State.UNPAIRED)
    rows.update(state=State.UNPAIRING, reason="", reason_at=None, next_due=now, failures=0, paused_until=None)
    record("pairing.unpair_asked", lab_id=pairing.lab_id, target=pairing, account=pairing.account_id)
    ring_tick()


def finish_unpair(lab_id: UUID, pairing_id: UUID) -> bool:
    """Tell Align: Un Pair, then Revoke. True when the pairing is over; else it is due again later."""
    with in_lab(lab_id):
        pairing = Pairing.objects.of(lab_id).get(pk=pairing_id)
    if pairing.state != State.UNPAIRING:
        return pairing.state == State.UNPAIRED
    if safe_mode.is_on():
        return False  # Revoke needs no valid token, so access.py alone would not stop it
    try:
        _tell_align(pairing)
    except IteroError as error:
        with in_lab(lab_id):
            Pairing.objects.of(lab_id).filter(pk=pairing_id, state=State.UNPAIRING).update(
                next_due=timezone.now() + timedelta(seconds=back_off(pairing.failures, error.retry_after)),
                failures=pairing.failures + 1,
                reason=error.code,
                reason_at=timezone.now(),
            )
        return False
    with in_lab(lab_id):
        Pairing.objects.of(lab_id).filter(pk=pairing_id, state=State.UNPAIRING).update(
            state=State.UNPAIRED, sealed_tokens="", access_expires_at=None, callback_hash="", told_callback_hashes=[],
            next_due=None, reason="", reason_at=None, failures=0,
        )  # fmt: skip
        record("pairing.ended", lab_id=lab_id, target=pairing, account=pairing.account_id)
    return True


def _tell_align(pairing: Pairing) -> None:
    """Un Pair, then Revoke. A refusal means that Align no longer counts us in: that is what we wanted.

    Errors: the retryable ones, and wrong settings of ours, which say nothing of what Align thinks.
    """
    try:
        _unpair(pairing)
    except SETTINGS:
        raise
    except HumanError:
        pass
    except PairingStopped as stopped:
        if isinstance(stopped.__cause__, SETTINGS):
            raise stopped.__cause__ from None
    with in_lab(pairing.lab_id):
        pairing.refresh_from_db()
    _revoke(pairing)


def _unpair(pairing: Pairing) -> None:
    """Refused with this token: perhaps the token, perhaps the region, perhaps un-paired already. A fresh one tells. A
    page in place of an answer may be the old region's gateway."""
    access = access_for(pairing.lab_id, pairing.pk)
    try:
        access.client.unpair(access.endpoints, access_token=access.access_token, account_id=pairing.account_id)
    except (HumanError, NoSuchPage):
        access = refresh(pairing.lab_id, pairing.pk, refused_token=access.access_token)
        access.client.unpair(access.endpoints, access_token=access.access_token, account_id=pairing.account_id)


def _revoke(pairing: Pairing) -> None:
    align = vendor.client()
    try:
        token = pairing.tokens.refresh_token
    except SealError:
        return  # nothing that could be revoked by us
    try:
        try:
            align.revoke_token(pairing.vendor_endpoints, token=token)
        except ADDRESS_GONE:
            align.revoke_token(None, token=token)  # the region's address is gone; the authorization server's is not
    except InvalidClient:
        raise
    except HumanError:
        pass  # Align does not know the token any more
