"""Reconciliation: does everything that Align shows stand here? What is missing is recorded, which is the repair.

1 begin a run's row; one at a time for a pairing · 2 Get Orders: each listed order must be known · 3 Get Order By RxID
for the recent orders that were not on the list, in turn, at most BATCH a run: a newer appearance is recorded · 4 the
ledger: each scan that Align showed is stored, pending or failed here, or it is named as differing · 5 end the row.
"""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connector.intake.bookkeeping import Reconciliation
from connector.intake.download import ring_download
from connector.intake.outcome import NOT_THE_ORDERS
from connector.intake.pairing_row import not_paused
from connector.intake.record import UnstorableOrder, record_order
from connector.intake.version import files_are_ready, version_key
from connector.itero import Order as VendorOrder
from connector.itero.errors import IteroError, NotFound
from connector.orders.models import HAS_FILES, STOPPED, Order, Revision, RevisionState
from connector.pairing import vendor
from connector.pairing.access import Access, PairingStopped, call
from connector.pairing.models import Pairing, State
from labportal.doorbell import ring
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

BATCH = 200
ENOUGH_SECONDS = 200.0  # a task may run 300 s
STUCK = timedelta(minutes=15)
SOONEST = timedelta(seconds=30)  # a doubled ring is one run
PAIRINGS_AT_ONCE = 50
DIFFERING_KEPT = 200
UNNAMED = "entry"  # with its place on the list: an entry without an order id


@dataclass
class Ledger:
    """What one run saw. `shown`: order ids of the scans that Align shows; `matched`: our revision for each of them;
    `differing`: why one could not be read, recorded or found; `listed`: order ids on Align's list of new ones."""

    shown: set[str] = field(default_factory=set)
    matched: dict[str, UUID] = field(default_factory=dict)
    differing: dict[str, str] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    new: int = 0


def ring_due() -> None:
    """Ring for the pairings whose last reconciliation is older than a day; called by intake's sweep."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, pairing_id FROM resolve.due_reconciliations(%s)", [PAIRINGS_AT_ONCE])
        rows: list[tuple[UUID, UUID]] = cursor.fetchall()
    for lab_id, pairing_id in rows:
        ring_reconcile(lab_id, pairing_id)


def ring_reconcile(lab_id: UUID, pairing_id: UUID, user_id: UUID | None = None) -> None:
    """Ask a worker to compare; `user_id` is the person who pressed the button."""
    ring("connector.intake.tasks.reconcile", lab_id, pairing_id, user_id or "")


def reconcile(lab_id: UUID, pairing_id: UUID, *, by: UUID | None = None) -> Reconciliation | None:
    """One run; None when another one is running, or ended a moment ago. Every run leaves its row."""
    run = _begin(lab_id, pairing_id, by)
    if run is None:
        return None
    ledger, reason = Ledger(), "interrupted"
    try:
        reason = _compare(run, ledger)
    finally:
        _end(run, ledger, reason)
    if ledger.new:
        ring_download(lab_id, pairing_id)
    return run


def _begin(lab_id: UUID, pairing_id: UUID, by: UUID | None) -> Reconciliation | None:
    now = timezone.now()
    with in_lab(lab_id):
        runs = Reconciliation.objects.of(lab_id).filter(pairing_id=pairing_id)
        runs.filter(ended_at=None, started_at__lt=now - STUCK).update(ended_at=now, reason="interrupted")
        if runs.filter(started_at__gt=now - SOONEST).exists():
            return None
        before = runs.exclude(asked_up_to=None).order_by("-started_at").first()
        try:
            with transaction.atomic():
                return Reconciliation.objects.create(
                    lab_id=lab_id, pairing_id=pairing_id, by_id=by, asked_up_to=before.asked_up_to if before else None
                )
        except IntegrityError:  # the constraint allows one that is not ended
            return None


def _compare(run: Reconciliation, ledger: Ledger) -> str:
    """The reason code of what ended the run early, '' when it came to its end."""
    with in_lab(run.lab_id):
        ready = Pairing.objects.of(run.lab_id).filter(not_paused(timezone.now()), state=State.ACTIVE)
        pairing = ready.filter(pk=run.pairing_id).first()
    if pairing is None:
        return "not_paired"
    try:
        call(run.lab_id, run.pairing_id, lambda access: _read_list(access, pairing, run, ledger))
        _ask_recent(pairing, run, ledger)
    except (IteroError, PairingStopped, SealError) as error:
        return str(error.code)
    return ""


def _read_list(access: Access, pairing: Pairing, run: Reconciliation, ledger: Ledger) -> None:
    """Get Orders, all pages. Bears being run again from its beginning, after a token had to be renewed."""
    run.listed = 0
    for page in access.client.get_orders(access.endpoints, access_token=access.access_token):
        for order in page.orders:
            ledger.listed.add(order.order_id)
            _enter(pairing, order, ledger, source="poll")
        for bad in page.malformed:
            name = bad.order_id or f"{UNNAMED} {run.listed + bad.index + 1}"
            ledger.shown.add(name)
            ledger.differing[name] = "bad_answer"
        run.listed += len(page.orders) + len(page.malformed)


def _ask_recent(pairing: Pairing, run: Reconciliation, ledger: Ledger) -> None:
    """Get Order By RxID for the next of the recent orders; those behind them wait for the next run."""
    batch, run.unasked = _next_orders(run, ledger)
    end = time.monotonic() + ENOUGH_SECONDS
    for order_id, rx_id, pk in batch:
        if time.monotonic() > end:
            return
        try:
            _enter(pairing, _by_rx_id(pairing, rx_id), ledger, source="lookup")
        except NOT_THE_ORDERS:
            # The next one would meet it too. If not, it is this one that Align never answers for: the next run begins
            # behind it and comes round to it last, or it would keep the others waiting for ever.
            run.asked_up_to = pk
            raise
        except NotFound:
            if not _is_stored(run, pk):
                ledger.differing[order_id] = NotFound.code
        except IteroError as error:
            ledger.differing[order_id] = error.code
        run.asked, run.asked_up_to, run.unasked = run.asked + 1, pk, run.unasked - 1


def _by_rx_id(pairing: Pairing, rx_id: str) -> VendorOrder:
    return call(
        pairing.lab_id,
        pairing.pk,
        lambda a: a.client.get_order_by_rx_id(a.endpoints, access_token=a.access_token, rx_id=rx_id),
    )


def _next_orders(run: Reconciliation, ledger: Ledger) -> tuple[list[tuple[str, str, UUID]], int]:
    """(order id, RxID, key) of at most BATCH orders of the last RECONCILE_DAYS days that were not on the list: those
    after the one that was asked last, then from the first again. And how many such orders there are."""
    since = timezone.now() - timedelta(days=settings.RECONCILE_DAYS)
    with in_lab(run.lab_id):
        recent = Order.objects.of(run.lab_id).filter(pairing_id=run.pairing_id, received_at__gte=since)
        unlisted = recent.exclude(rx_id="").exclude(order_id__in=ledger.listed).order_by("pk")
        rows = unlisted.values_list("order_id", "rx_id", "pk")
        if run.asked_up_to is None:
            return list(rows[:BATCH]), unlisted.count()
        batch = list(rows.filter(pk__gt=run.asked_up_to)[:BATCH])
        batch += list(rows.filter(pk__lte=run.asked_up_to)[: BATCH - len(batch)])
        return batch, unlisted.count()


def _is_stored(run: Reconciliation, order_pk: UUID) -> bool:
    """Align may forget what we hold; what we do not hold is worth a line."""
    with in_lab(run.lab_id):
        latest = Revision.objects.of(run.lab_id).filter(order_id=order_pk).order_by("-number").first()
        return latest is not None and latest.has_files


def _enter(pairing: Pairing, seen: VendorOrder, ledger: Ledger, *, source: str) -> None:
    """Record what Align shows, if it is news, and note which revision of ours stands for it."""
    has_files = files_are_ready(seen, vendor.profile().statuses)
    if has_files:
        ledger.shown.add(seen.order_id)
    try:
        recorded = record_order(pairing, seen, source=source)
    except UnstorableOrder as error:
        ledger.differing[seen.order_id] = error.code
        return
    ledger.new += recorded.new
    found = _standing_for(recorded.order, version_key(seen)) if has_files else None
    if found is not None:
        ledger.matched[seen.order_id] = found.pk
    elif has_files:
        ledger.differing[seen.order_id] = "not_recorded"


def _standing_for(order: Order, key: str) -> Revision | None:
    """The revision of this appearance. An appearance without one of its own, as after a mere change of status or an
    answer older than our record, is stood for by the latest."""
    with in_lab(order.lab_id):
        mine = Revision.objects.of(order.lab_id).filter(order=order)
        exact = mine.filter(version_key=key).exclude(state=RevisionState.SUPERSEDED).first()
        return exact or mine.order_by("-number").first()


def _end(run: Reconciliation, ledger: Ledger, reason: str) -> None:
    """The counts, all read at one moment, and the row's end."""
    with in_lab(run.lab_id):
        rows = Revision.objects.of(run.lab_id).filter(pk__in=ledger.matched.values())
        states = list(rows.values_list("state", flat=True))
        run.known = len(ledger.shown)
        run.stored = sum(state in HAS_FILES for state in states)
        run.failed = sum(state in STOPPED for state in states)
        run.removed = states.count(RevisionState.ERASED)
        run.pending = len(states) - run.stored - run.failed - run.removed
        run.missing_recorded, run.reason, run.ended_at = ledger.new, reason, timezone.now()
        run.differing = [list(pair) for pair in sorted(ledger.differing.items())[:DIFFERING_KEPT]]
        run.save()
