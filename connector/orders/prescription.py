"""What the doctor ordered, for the case page: teeth, treatments, facts of the Rx."""

from typing import Any
from zoneinfo import ZoneInfo

from connector.orders.models import Order, Restoration
from connector.orders.words import WHOLE, tooth_label
from labportal.labs.models import Lab

UPPER, LOWER = range(1, 17), range(32, 16, -1)


def restorations(order: Order, lab: Lab) -> list[dict[str, str]]:
    """One row a tooth, in the lab's notation."""
    rows = Restoration.objects.of(lab).filter(order=order).order_by("tooth")
    return [
        {
            "tooth": tooth_label(row.tooth, lab.tooth_notation),
            "treatment": row.treatment,
            "material": row.material,
            "shade": " / ".join(shade for shade in (row.incisal, row.body, row.gingival) if shade),
        }
        for row in rows
    ]


def tooth_chart(order: Order, lab: Lab) -> dict[str, Any] | None:
    """Both jaws as one looks into the mouth: upper right first, lower right below it."""
    if not order.teeth:
        return None
    treated = set(order.teeth)

    def row(teeth: range) -> list[dict[str, str]]:
        return [
            {"label": tooth_label(t, lab.tooth_notation), "state": "treated" if t in treated else ""} for t in teeth
        ]

    notation = "FDI" if lab.tooth_notation == Lab.Notation.FDI else "Universal"
    return {"upper": row(UPPER), "lower": row(LOWER), "notation": notation}


def rx_facts(order: Order, zone: ZoneInfo) -> list[tuple[str, str]]:
    facts = [
        ("Scanned", f"{order.scanned_at.astimezone(zone):{WHOLE}}" if order.scanned_at else ""),
        ("Doctor's licence", order.doctor_license),
        ("Practice address", order.practice_address),
    ]
    return [(label, value) for label, value in facts if value]
