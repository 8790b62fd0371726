"""Recording what Align says of an order: the row before the bytes. Idempotent, whoever sees it at once with us."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.db import DataError, IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from connector.intake.facts import copy_facts, copy_treatments, prescription, short_status
from connector.intake.pairing_row import mark
from connector.intake.staging import clear, lies_here
from connector.intake.version import expected_size, files_are_ready, version_key
from connector.itero import Order as VendorOrder
from connector.orders.history import record
from connector.orders.models import HAS_FILES, ON_ITS_WAY, SUPERSEDED, Order, Revision, RevisionState, Wants, Workflow
from connector.orders.stopped import standing_problem
from connector.pairing import vendor
from connector.pairing.models import FetchMode, Pairing
from labportal.faults import fault
from labportal.labs.tenancy import in_lab


class UnstorableOrder(Exception):
    """Our tables can't hold what Align says of an order. Without the database's own text, which quotes the order."""

    code = "bad_answer"


@dataclass(frozen=True)
class Recorded:
    """`new` when this appearance was not known; `revision` is None while Align has no files for it."""

    order: Order
    revision: Revision | None
    new: bool


def record_order(pairing: Pairing, seen: VendorOrder, *, source: str) -> Recorded:
    """Commit one order as Align shows it now. `source` is poll, notification or lookup. Errors: UnstorableOrder."""
    try:
        with in_lab(pairing.lab_id):
            return _record(pairing, seen, source, timezone.now())
    except (DataError, ValueError):
        pass
    raise UnstorableOrder


def _record(pairing: Pairing, seen: VendorOrder, source: str, now: datetime) -> Recorded:
    order = _locked_order(pairing, seen, now)
    if _older(seen.updated, order.vendor_updated):
        return Recorded(order, None, new=False)
    if order.erased_at is not None and not _revived(order, seen, source):
        return Recorded(order, None, new=False)
    status_changed = order.vendor_status != short_status(seen)
    before = Revision.objects.of(order.lab_id).filter(order=order, number=order.latest_number).first()
    revision, new = None, False
    if files_are_ready(seen, vendor.profile().statuses):
        revision, new = _revision(pairing, order, seen, source, now)
    copy_facts(order, seen, fresh=new or before is None)
    if new or before is None or before.rx.get("treatments") != prescription(seen)["treatments"]:
        copy_treatments(order, seen)
    if new and revision is not None:
        _arrived(order, revision, source, now)
    elif status_changed:
        record(order, "status", status=short_status(seen))
    order.save()
    fault("record.before_commit")
    return Recorded(order, revision, new)


def _locked_order(pairing: Pairing, seen: VendorOrder, now: datetime) -> Order:
    # no_key: lines of the timeline that point at the order need not wait.
    rows = Order.with_erased.of(pairing.lab_id).select_for_update(no_key=True)
    found = rows.filter(pairing=pairing, order_id=seen.order_id).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            Order.objects.create(lab_id=pairing.lab_id, pairing=pairing, order_id=seen.order_id, received_at=now)
    except IntegrityError:
        pass  # another consumer made it a moment ago
    return rows.get(pairing=pairing, order_id=seen.order_id)


def _revived(order: Order, seen: VendorOrder, source: str) -> bool:
    """A case that was removed here comes back only when Align lists a scan as new that is not one of the removed."""
    if source != "poll" or not files_are_ready(seen, vendor.profile().statuses):
        return False
    revisions = Revision.objects.of(order.lab_id).filter(order=order)
    if revisions.filter(version_key=version_key(seen)).exists():
        return False
    # One that was left at Align has only its announced size: a mere change of its status is no newer scan either.
    size = expected_size(seen)
    if size and revisions.filter(Q(size=size) | Q(expected_size=size)).exists():
        return False
    order.erased_at, order.erased_why, order.workflow = None, "", Workflow.NEW
    record(order, "revived")
    return True


def _older(incoming: str, stored: str) -> bool:
    """A slow answer must not undo a newer one. Only marks that both read as ISO times are compared."""
    try:
        return datetime.fromisoformat(incoming) < datetime.fromisoformat(stored)
    except (ValueError, TypeError):
        return False


def _revision(
    pairing: Pairing, order: Order, seen: VendorOrder, source: str, now: datetime
) -> tuple[Revision | None, bool]:
    """The revision of this appearance; the order's row lock makes number and uniqueness safe."""
    key = version_key(seen)
    revisions = Revision.objects.of(order.lab_id).filter(order=order)
    known = revisions.filter(version_key=key).first()
    if known is not None:
        return known, False
    if source != "poll" and order.waiting_since is None and _same_files(order, seen):
        return None, False
    _supersede_unfetched(order)
    order.latest_number += 1
    later = pairing.fetch_mode == FetchMode.ON_CLICK
    return Revision.objects.create(
        lab_id=order.lab_id,
        order=order,
        number=order.latest_number,
        version_key=key,
        cause=_cause(order, seen),
        vendor_status=short_status(seen),
        rx=prescription(seen),
        state=RevisionState.ASKED_LATER if later else RevisionState.SEEN,
        wants=Wants.THUMBNAILS if pairing.fetch_mode == FetchMode.THUMBNAILS else Wants.FULL,
        expected_size=expected_size(seen),
        next_due=None if later else now,
    ), True


def _same_files(order: Order, seen: VendorOrder) -> bool:
    """A mere change of status, such as milling: the zip that we hold has the announced size to the byte. Fetching it
    again may be refused. Should it be a re-scan after all, Align lists it as new, and the poll makes the revision."""
    size = expected_size(seen)
    latest = Revision.objects.of(order.lab_id).filter(order=order, number=order.latest_number, state__in=HAS_FILES)
    return size is not None and latest.filter(size=size).exists()


def _supersede_unfetched(order: Order) -> None:
    """Align now shows other files than those that we have not fetched yet. A running download is left to its worker:
    it may still bring the older files home; and so is a zip that lies here whole, and only waits for its store. The
    state is in the WHERE, since a worker may claim one meanwhile."""
    replaced = [RevisionState.ASKED_LATER, *(state for state in ON_ITS_WAY if state != RevisionState.FETCHING)]
    for old in Revision.objects.of(order.lab_id).filter(order=order, state__in=replaced):
        if lies_here(old):
            continue
        still = Revision.objects.of(order.lab_id).filter(pk=old.pk, state__in=replaced)
        if still.update(state=RevisionState.SUPERSEDED, reason=SUPERSEDED, next_due=None):
            record(order, "superseded", revision=old, number=old.number)
            transaction.on_commit(partial(clear, old))


def _cause(order: Order, seen: VendorOrder) -> str:
    """Why Align shows it (again): first, rescan, modeling, or update."""
    if vendor.profile().statuses.may_be_modeling_result(seen.status):
        return "modeling"
    if order.latest_number <= 1:
        return "first"
    return "rescan" if order.waiting_since is not None or seen.status.startswith("Ready for") else "update"


def _arrived(order: Order, revision: Revision, source: str, now: datetime) -> None:
    if source == "notification":
        record(order, "notified", revision=revision)
    record(order, "seen", revision=revision, status=revision.vendor_status)
    if order.waiting_since is not None:
        record(order, "rescan", revision=revision)
        order.waiting_since = None
    order.received_at, order.problem = now, standing_problem(order)
    if revision.number > 1:
        order.workflow = Workflow.NEW
    mark(order.lab_id, order.pairing_id, order_at=now)
