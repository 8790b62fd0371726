"""What Align says of a case, copied onto the order: names, dates, the prescription's teeth."""

from connector.itero import Order as VendorOrder
from connector.itero import Treatment
from connector.orders.models import Order, Restoration

TEXTS = {
    "order_code": ("order_code", 64), "patient_first": ("patient_first", 300), "patient_last": ("patient_last", 300),
    "chart_number": ("chart_number", 120), "doctor": ("doctor_name", 300), "doctor_license": ("doctor_license", 120),
    "practice": ("practice_name", 300), "practice_address": ("practice_address", 500), "procedure": ("procedure", 200),
    "case_type": ("case_type", 200), "notes": ("notes", None),
}  # fmt: skip
STATUS_LENGTH = 120
TOOTH_MAX = 32767


def copy_facts(order: Order, seen: VendorOrder, *, fresh: bool) -> None:
    """`fresh`: a new revision, where Align's word replaces all. Else a text that Align leaves out stays as the metadata
    file filled it, since that file is read only once."""
    order.rx_id, order.vendor_status, order.vendor_updated = seen.rx_id, short_status(seen), seen.updated[:60]
    for ours, (theirs, longest) in TEXTS.items():
        said = getattr(seen, theirs)[:longest]
        if said or fresh:
            setattr(order, ours, said)
    order.due_date = seen.due_date or (None if fresh else order.due_date)
    order.scanned_at = seen.scan_date or (None if fresh else order.scanned_at)


def short_status(seen: VendorOrder) -> str:
    return seen.status[:STATUS_LENGTH]


def copy_treatments(order: Order, seen: VendorOrder) -> None:
    """Replace the prescription's teeth; what the metadata file adds comes again when the files are read."""
    details = {row.tooth: row.details for row in Restoration.objects.of(order.lab_id).filter(order=order)}
    Restoration.objects.of(order.lab_id).filter(order=order).delete()
    Restoration.objects.bulk_create(
        Restoration(
            lab_id=order.lab_id,
            order=order,
            tooth=_tooth(item),
            treatment=item.treatment[:200],
            material=item.material[:200],
            shade_system=item.shade_system[:80],
            incisal=item.incisal[:40],
            body=item.body[:40],
            gingival=item.gingival[:40],
            details=details.get(_tooth(item), {}),
        )
        for item in seen.treatments
    )
    order.teeth = sorted({tooth for item in seen.treatments if (tooth := _tooth(item))})
    if seen.treatments:
        first = seen.treatments[0]
        list_words(order, first.treatment, first.material, first.body or first.incisal)
    else:
        list_words(order, seen.procedure or seen.case_type, "", "")


def list_words(order: Order, treatment: str, material: str, shade: str) -> None:
    """What lists show of the first tooth, from the API or, where it has none, from the metadata file."""
    if treatment.startswith("Bridge:"):  # the first tooth's part in it ("Bridge: Abutment") is not the whole
        treatment = "Bridge"
    words = (treatment, material.removeprefix("Ceramic: "))
    order.summary, order.shade = " · ".join(word for word in words if word)[:300], shade[:80]


def _tooth(item: Treatment) -> int | None:
    """A number that no column can hold is no tooth; the rest of the order counts nevertheless."""
    return item.tooth if item.tooth is not None and item.tooth <= TOOTH_MAX else None


def prescription(seen: VendorOrder) -> dict[str, object]:
    """The prescription as it was at one revision, so that two revisions can be compared."""
    return {
        "procedure": seen.procedure,
        "case_type": seen.case_type,
        "due_date": seen.due_date.isoformat() if seen.due_date else None,
        "notes": seen.notes,
        "treatments": [
            [t.tooth, t.treatment, t.material, t.shade_system, t.incisal, t.body, t.gingival] for t in seen.treatments
        ],
    }
