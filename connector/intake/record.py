"""Recording what Align says of an order: the row before the bytes. Idempotent; safe for poll and notifications at once."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from connector.intake.version import expected_size, files_are_ready, version_key
from connector.itero import Order as VendorOrder
from connector.orders.history import record
from connector.orders.models import ON_ITS_WAY, Order, Restoration, Revision, RevisionState, Wants, Workflow
from connector.pairing import vendor
from connector.pairing.models import FetchMode, Pairing
from labportal.labs.tenancy import in_lab


@dataclass(frozen=True)
class Recorded:
    """`new` when this appearance was not known; `revision` is None while Align has no files for it."""

    order: Order
    revision: Revision | None
    new: bool


def record_order(pairing: Pairing, seen: VendorOrder, *, source: str) -> Recorded:
    """Commit one order as Align shows it now. `source` is poll, notification or lookup."""
    now = timezone.now()
    with in_lab(pairing.lab_id):
        order = _locked_order(pairing, seen, now)
        statuses = vendor.profile().statuses
        if _older(seen.updated, order.vendor_updated):
            return Recorded(order, None, new=False)
        status_changed = order.vendor_status != seen.status
        _copy_facts(order, seen)
        revision, new = None, False
        if files_are_ready(seen, statuses.without_files):
            revision, new = _revision(pairing, order, seen, now)
        if new and revision is not None:
            _arrived(order, revision, source, now)
        elif status_changed:
            record(order, "status", status=seen.status)
        order.save()
        _copy_treatments(order, seen)
        return Recorded(order, revision, new)


def _locked_order(pairing: Pairing, seen: VendorOrder, now: datetime) -> Order:
    rows = Order.objects.of(pairing.lab_id).select_for_update()
    found = rows.filter(pairing=pairing, order_id=seen.order_id).first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            Order.objects.create(lab_id=pairing.lab_id, pairing=pairing, order_id=seen.order_id, received_at=now)
    except IntegrityError:
        pass  # another consumer made it a moment ago
    return rows.get(pairing=pairing, order_id=seen.order_id)


def _older(incoming: str, stored: str) -> bool:
    """A slow answer must not undo a newer one. Only marks that both read as ISO times are compared."""
    try:
        return datetime.fromisoformat(incoming) < datetime.fromisoformat(stored)
    except (ValueError, TypeError):
        return False


def _copy_facts(order: Order, seen: VendorOrder) -> None:
    order.rx_id, order.order_code = seen.rx_id, seen.order_code
    order.patient_first, order.patient_last = seen.patient_first[:300], seen.patient_last[:300]
    order.chart_number = seen.chart_number[:120]
    order.doctor, order.doctor_license = seen.doctor_name[:300], seen.doctor_license[:120]
    order.practice, order.practice_address = seen.practice_name[:300], seen.practice_address[:500]
    order.procedure, order.case_type = seen.procedure[:200], seen.case_type[:200]
    order.due_date, order.scanned_at, order.notes = seen.due_date, seen.scan_date, seen.notes
    order.vendor_status, order.vendor_updated = seen.status[:120], seen.updated[:60]
    first = seen.treatments[0] if seen.treatments else None
    words = [first.treatment, first.material.removeprefix("Ceramic: ")] if first else [seen.procedure or seen.case_type]
    order.summary = " · ".join(word for word in words if word)[:300]
    order.teeth = sorted({item.tooth for item in seen.treatments if item.tooth})
    order.shade = (first.body or first.incisal)[:80] if first else ""


def _copy_treatments(order: Order, seen: VendorOrder) -> None:
    """Replace the prescription's teeth; what the metadata file adds comes again when the files are read."""
    old = {r.tooth: r.details for r in Restoration.objects.of(order.lab_id).filter(order=order)}
    Restoration.objects.of(order.lab_id).filter(order=order).delete()
    Restoration.objects.bulk_create(
        Restoration(
            lab_id=order.lab_id,
            order=order,
            tooth=item.tooth,
            treatment=item.treatment[:200],
            material=item.material[:200],
            shade_system=item.shade_system[:80],
            incisal=item.incisal[:40],
            body=item.body[:40],
            gingival=item.gingival[:40],
            details=old.get(item.tooth, {}),
        )
        for item in seen.treatments
    )


def _revision(pairing: Pairing, order: Order, seen: VendorOrder, now: datetime) -> tuple[Revision, bool]:
    """The revision of this appearance; the order's row lock makes number and uniqueness safe."""
    key = version_key(seen)
    known = Revision.objects.of(order.lab_id).filter(order=order, version_key=key).first()
    if known is not None:
        return known, False
    replaced = Revision.objects.of(order.lab_id).filter(order=order, state__in=[*ON_ITS_WAY, RevisionState.ASKED_LATER])
    # A running download is left to its worker: it may still bring the older files home.
    for old in replaced.exclude(state=RevisionState.FETCHING):
        Revision.objects.of(order.lab_id).filter(pk=old.pk).update(state=RevisionState.SUPERSEDED, next_due=None)
        record(order, "superseded", revision=old, number=old.number)
    order.latest_number += 1
    later = pairing.fetch_mode == FetchMode.ON_CLICK
    return Revision.objects.create(
        lab_id=order.lab_id,
        order=order,
        number=order.latest_number,
        version_key=key,
        cause=_cause(order, seen),
        vendor_status=seen.status[:120],
        rx=_rx(seen),
        state=RevisionState.ASKED_LATER if later else RevisionState.SEEN,
        wants=Wants.THUMBNAILS if pairing.fetch_mode == FetchMode.THUMBNAILS else Wants.FULL,
        expected_size=expected_size(seen),
        next_due=None if later else now,
    ), True


def _cause(order: Order, seen: VendorOrder) -> str:
    """Why Align shows it (again): first, rescan, modeling, or update."""
    if seen.status in vendor.profile().statuses.modeling_result:
        return "modeling"
    if order.latest_number <= 1:
        return "first"
    return "rescan" if order.waiting_since is not None or seen.status.startswith("Ready for") else "update"


def _rx(seen: VendorOrder) -> dict[str, object]:
    """The prescription as it was at this revision, so that two revisions can be compared."""
    return {
        "procedure": seen.procedure,
        "case_type": seen.case_type,
        "due_date": seen.due_date.isoformat() if seen.due_date else None,
        "notes": seen.notes,
        "treatments": [
            [t.tooth, t.treatment, t.material, t.shade_system, t.incisal, t.body, t.gingival] for t in seen.treatments
        ],
    }


def _arrived(order: Order, revision: Revision, source: str, now: datetime) -> None:
    if source == "notification":
        record(order, "notified", revision=revision)
    record(order, "seen", revision=revision, status=revision.vendor_status)
    if order.waiting_since is not None:
        record(order, "rescan", revision=revision)
        order.waiting_since = None
    order.received_at, order.problem = now, ""
    if revision.number > 1:
        order.workflow = Workflow.NEW
    Pairing.objects.of(order.lab_id).filter(pk=order.pairing_id).update(order_at=now)
