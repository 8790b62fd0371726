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
from connector.pairing.sealing import SealError
from labportal.doorbell import ring
from labportal.labs.tenancy import in_lab

BATCH = 200
ENOUGH_SECONDS = 200.0  # a task may run 300 s
STUCK = timedelta(minutes=15)
SOONEST = timedelta(seconds=30)  # a doubled ring is one run
PAIRINGS_AT_ONCE = 50
DIFFERING_KEPT = 200


@dataclass
class Ledger:
    """What one run saw: our revision for each scan that Align shows, by order id; and what could not be matched."""

    matched: dict[str, UUID] = field(default_factory=dict)
    differing: dict[str, str] = field(default_factory=dict)
    new: int = 0
    seen: set[str] = field(default_factory=set)


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
        run.listed += len(page.orders) + len(page.malformed)
        for order in page.orders:
            _enter(pairing, order, ledger)
        for bad in page.malformed:
            ledger.differing[bad.order_id or f"entry {run.listed}.{bad.index}"] = "bad_answer"


def _ask_recent(pairing: Pairing, run: Reconciliation, ledger: Ledger) -> None:
    """Get Order By RxID for the next of the recent orders; those behind them wait for the next run."""
    batch, waiting = _next_orders(run, ledger)
    end = time.monotonic() + ENOUGH_SECONDS
    run.unasked = waiting
    for order_id, rx_id, pk in batch:
        if time.monotonic() > end:
            return
        try:
            seen = call(pairing.lab_id, pairing.pk, lambda a, rx_id=rx_id: a.client.get_order_by_rx_id(  # type: ignore[misc]  # a default is how a lambda keeps the loop's value
                a.endpoints, access_token=a.access_token, rx_id=rx_id
            ))  # fmt: skip
            _enter(pairing, seen, ledger)
        except NOT_THE_ORDERS:
            raise
        except NotFound:
            ledger.differing[order_id] = "not_found"
        except IteroError as error:
            ledger.differing[order_id] = error.code
        run.asked, run.asked_up_to, run.unasked = run.asked + 1, pk, run.unasked - 1


def _next_orders(run: Reconciliation, ledger: Ledger) -> tuple[list[tuple[str, str, UUID]], int]:
    """(order id, RxID, key) of at most BATCH orders of the last RECONCILE_DAYS days that were not on the list, after
    the one that was asked last, then from the first again; and how many such orders there are."""
    days = timedelta(days=getattr(settings, "RECONCILE_DAYS", 14))
    with in_lab(run.lab_id):
        recent = Order.objects.of(run.lab_id).filter(
            pairing_id=run.pairing_id, received_at__gte=timezone.now() - days
        )  # fmt: skip
        open_ones = recent.exclude(rx_id="").exclude(order_id__in=ledger.seen).order_by("pk")
        rows = open_ones.values_list("order_id", "rx_id", "pk")
        after = rows.filter(pk__gt=run.asked_up_to) if run.asked_up_to else rows
        batch = list(after[:BATCH])
        if run.asked_up_to and len(batch) < BATCH:
            batch += list(rows.filter(pk__lte=run.asked_up_to)[: BATCH - len(batch)])
        return batch, open_ones.count()


def _enter(pairing: Pairing, seen: VendorOrder, ledger: Ledger) -> None:
    """Record what Align shows, if it is news, and note which revision of ours stands for it."""
    ledger.seen.add(seen.order_id)
    try:
        recorded = record_order(pairing, seen, source="lookup")
    except UnstorableOrder as error:
        ledger.differing[seen.order_id] = error.code
        return
    ledger.new += recorded.new
    if not files_are_ready(seen, vendor.profile().statuses):
        return
    with in_lab(pairing.lab_id):
        mine = Revision.objects.of(pairing.lab_id).filter(order=recorded.order)
        exact = mine.filter(version_key=version_key(seen)).exclude(state=RevisionState.SUPERSEDED)
        # No revision of its own: our record is newer than this answer, or only the status changed.
        found = exact.first() or mine.order_by("-number").first()
    if found is None:
        ledger.differing[seen.order_id] = "not_recorded"
    else:
        ledger.matched[seen.order_id] = found.pk


def _end(run: Reconciliation, ledger: Ledger, reason: str) -> None:
    """The counts, all read at one moment, and the row's end."""
    with in_lab(run.lab_id):
        rows = Revision.objects.of(run.lab_id).filter(pk__in=ledger.matched.values())
        states = list(rows.values_list("state", flat=True))
        run.stored = sum(state in HAS_FILES for state in states)
        run.failed = sum(state in STOPPED for state in states)
        run.pending = len(states) - run.stored - run.failed
        run.known = run.stored + run.pending + run.failed + _shown_but_not_here(ledger)
        run.missing_recorded, run.reason, run.ended_at = ledger.new, reason, timezone.now()
        run.differing = [list(pair) for pair in sorted(ledger.differing.items())[:DIFFERING_KEPT]]
        run.save()


def _shown_but_not_here(ledger: Ledger) -> int:
    """An order that Align does not know any more is worth a line, but it is no scan that Align shows."""
    return sum(code != "not_found" for code in ledger.differing.values())
