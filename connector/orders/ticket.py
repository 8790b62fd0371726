"""What only the printed work ticket says of a case: which scan, whole dates, and a code that leads back to the page."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import qrcode
from django.conf import settings
from django.urls import reverse

from connector.orders.models import Order, Revision
from connector.orders.words import WHOLE, revision_label


def ticket(order: Order, shown: Revision | None, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Paper is read tomorrow, so no "08:41" without its day."""
    return {
        "scan": revision_label(shown.number, shown.cause) if shown else "",
        "came": f"{shown.seen_at.astimezone(zone):{WHOLE}}" if shown else "",
        "printed": f"{now.astimezone(zone):{WHOLE}}",
        "code": _code(f"{settings.BASE_URL}{reverse('case', args=[order.pk])}"),
    }


def _code(text: str) -> dict[str, Any]:
    """A QR code as the path of an SVG, one unit a module. The mask is given, since trying all eight takes most of the
    time, and every reader reads each."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0, mask_pattern=2)
    code.add_data(text)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return {"side": len(rows), "path": path}
