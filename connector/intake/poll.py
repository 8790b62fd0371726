"""Polling: Get Orders lists NEW orders only; each becomes a row before a byte is fetched."""

import random
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from connector.intake.download import ring_download
from connector.intake.models import RunStatus, SyncRun
from connector.intake.pairing_row import not_paused
from connector.intake.record import UnstorableOrder, record_order
from connector.intake.version import version_key
from connector.itero import Order as VendorOrder
from connector.itero.errors import IteroError
from connector.orders.models import Revision
from connector.pairing.access import Access, PairingStopped, back_off, call
from connector.pairing.models import Pairing, State
from labportal.faults import fault
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError


def poll(lab_id: UUID, pairing_id: UUID) -> SyncRun | None:
    """One look at Align's list; None when it is not due (another worker took it). Every look leaves a row."""
    pairing = _take_turn(lab_id, pairing_id)
    if pairing is None:
        return None
    fault("poll.after_turn")
    run = _begin(pairing)
    reason = "interrupted"  # stands if something breaks that is nobody's answer: our database, a bug
    try:
        call(lab_id, pairing_id, lambda access: _read_pages(access, pairing, run))
        reason = ""
    except (IteroError, PairingStopped, SealError) as error:
        reason = error.code
    finally:
        _end(run, pairing, reason)
    fault("poll.after_end")
    if run.new:
        ring_download(lab_id, pairing_id)
    return run


def _take_turn(lab_id: UUID, pairing_id: UUID) -> Pairing | None:
    now = timezone.now()
    with in_lab(lab_id):
        due = Pairing.objects.of(lab_id).filter(not_paused(now), pk=pairing_id, next_due__lte=now)
        free = due.filter(state__in=[State.ACTIVE, State.FORBIDDEN]).select_for_update(skip_locked=True, no_key=True)
        pairing = free.first()
        if pairing is None:
            return None
        # Labs that once began together, as after an outage, drift apart again.
        spread = random.uniform(0.9, 1.1)  # noqa: S311 - against a herd, not a secret
        pairing.next_due = now + timedelta(seconds=pairing.poll_seconds * spread)
        pairing.polled_at = now
        pairing.save(update_fields=["next_due", "polled_at"])
        return pairing


def _begin(pairing: Pairing) -> SyncRun:
    """A new run; one whose worker was killed is closed, so that no page shows it as running for ever."""
    with in_lab(pairing.lab_id):
        SyncRun.objects.of(pairing.lab_id).filter(pairing=pairing, kind="poll", status=RunStatus.RUNNING).update(
            status=RunStatus.FAILED, reason="interrupted", ended_at=timezone.now()
        )
        return SyncRun.objects.create(lab_id=pairing.lab_id, pairing=pairing, kind="poll")


def _read_pages(access: Access, pairing: Pairing, run: SyncRun) -> None:
    """All pages before any download is rung for: a download takes its order off the list, the pages behind it move up,
    and the orders that slip over a page's edge would wait for the next poll."""
    run.listed = run.malformed = 0  # `new` stays: what was recorded before a token had to be renewed is recorded
    for page in access.client.get_orders(access.endpoints, access_token=access.access_token):
        run.listed += len(page.orders) + len(page.malformed)
        run.malformed += len(page.malformed)
        fault("poll.after_list")
        for order in _unknown(pairing, page.orders):
            try:
                run.new += record_order(pairing, order, source="poll").new
            except UnstorableOrder:
                run.malformed += 1  # one order that our tables can't hold does not block the others
            fault("poll.after_record")


def _unknown(pairing: Pairing, orders: tuple[VendorOrder, ...]) -> list[VendorOrder]:
    """Orders whose appearance is not recorded yet: one query for a whole page."""
    keys = {(order.order_id, version_key(order)): order for order in orders}
    with in_lab(pairing.lab_id):
        known = set(
            Revision.objects.of(pairing.lab_id)
            .filter(order__pairing=pairing, order__order_id__in=[order.order_id for order in orders])
            .values_list("order__order_id", "version_key")
        )
    return [order for key, order in keys.items() if key not in known]


def _end(run: SyncRun, pairing: Pairing, reason: str) -> None:
    now = timezone.now()
    run.reason, run.ended_at = reason, now
    run.status = RunStatus.FAILED if reason else RunStatus.NEW if run.new else RunStatus.NOTHING_NEW
    rows = Pairing.objects.of(pairing.lab_id).filter(pk=pairing.pk)
    with in_lab(pairing.lab_id):
        run.save()
        if not reason:
            rows.update(succeeded_at=now)
            rows.filter(state=State.FORBIDDEN).update(state=State.ACTIVE)
            # Another worker may have stopped or paused the pairing meanwhile: its reason must stay to be read.
            rows.filter(not_paused(now), state=State.ACTIVE).update(
                failures=0, reason="", reason_at=None, paused_until=None
            )
        else:
            again = now + timedelta(seconds=back_off(pairing.failures, longest=pairing.poll_seconds))
            rows.filter(state=State.ACTIVE).update(
                reason=reason, reason_at=now, next_due=again, failures=pairing.failures + 1
            )
