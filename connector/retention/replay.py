"""After a restore: what was removed since that backup was made is removed again."""

from pathlib import Path

from connector.orders.models import ErasedWhy, Order
from connector.retention.erasing import CannotErase, erase
from connector.retention.ledger import written
from labportal.labs.tenancy import in_lab


def erase_again(path: Path) -> tuple[int, int]:
    """(removed anew, left because of a hold or a running return). A case that has had a newer scan since is left as it
    is: one that came after its bytes went, or meanwhile, under a number that was not among the removed. Errors: as
    `ledger.written`."""
    done = kept = 0
    for removed in written(path):
        with in_lab(removed.lab_id):
            order = Order.objects.of(removed.lab_id).filter(pk=removed.order_id, received_at__lte=removed.at)
            if removed.scan is not None:
                order = order.filter(latest_number__lte=removed.scan)
        try:
            done += erase(removed.lab_id, removed.order_id, why=ErasedWhy.REQUEST, by=None, among=order)
        except CannotErase:
            kept += 1
    return done, kept
