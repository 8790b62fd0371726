"""Orders as intake would leave them, for tests of pages and exports."""

import uuid
from typing import Any

from django.utils import timezone

from connector.orders.models import Order, Revision
from connector.pairing.models import Pairing, State
from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab


def make_pairing(lab: Lab, account_id: str = "", **changes: Any) -> Pairing:
    with in_lab(lab.pk):
        return Pairing.objects.create(
            lab=lab,
            account_id=account_id or uuid.uuid4().hex[:8],
            account_name="Test account",
            state=State.ACTIVE,
            **changes,
        )


def make_order(lab: Lab, pairing: Pairing, order_id: str = "", *, revisions: int = 1, **changes: Any) -> Order:
    """An order with `revisions` revisions in state SEEN, without files."""
    facts = {"patient_last": "Sørensen", "patient_first": "Ingrid", "doctor": "Dr. Petra Zahn", "practice": "Praxis"}
    with in_lab(lab.pk):
        order = Order.objects.create(
            lab=lab,
            pairing=pairing,
            order_id=order_id or uuid.uuid4().hex[:9],
            rx_id=str(uuid.uuid4()),
            latest_number=revisions,
            **({"vendor_status": "Ready for Download", "received_at": timezone.now()} | facts | changes),
        )
        for number in range(1, revisions + 1):
            Revision.objects.create(
                lab=lab,
                order=order,
                number=number,
                version_key=uuid.uuid4().hex,
                cause="first" if number == 1 else "rescan",
            )
    return order
