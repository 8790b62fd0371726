"""Ask for a return, and say in words why a case can't be returned; sending.py tells Align."""

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connector.orders.history import record
from connector.orders.models import Order, Revision
from connector.orders.trail import note
from connector.pairing.words import reason_words
from connector.returns.models import Reason, Return, ReturnState
from labportal.doorbell import ring
from labportal.labs.models import User

NEWER = (
    "A newer scan of this case came in while you wrote, so nothing was sent. Look at the newer scan first: the "
    "patient's name above leads there. If it must be scanned again as well, press “Return to doctor” once more."
)


class ReturnRefused(Exception):
    """The case can't be returned now; `words` says why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class NewerScan(ReturnRefused):
    """The person has not seen the scan that would go back."""


def why_not(order: Order) -> str:
    """Why this case can't be returned now, in words; '' when it can."""
    if order.waiting_since is not None:
        return "This case is with the doctor already. The re-scan will arrive here as a new revision."
    if queued := Return.objects.of(order.lab_id).filter(order=order, state=ReturnState.QUEUED).first():
        if queued.problem:
            return f"The return of this case is not at Align yet. {reason_words(queued.problem)}"
        return "The return of this case is just being sent to Align."
    if not order.latest_number:
        return "Align has not sent any scan of this case yet."
    if not order.pairing.is_linked:
        return "The connection to Align has ended, so Align can't be told. Connect the account again first."
    return ""


def request_return(*, order: Order, by: User, reason: str, comment: str, scan: int | None = None) -> Return:
    """Queue a return of the latest revision; a worker tells Align. `scan` is the number of the one that the person
    had before their eyes. Errors: ReturnRefused."""
    # As it is now: the page that was sent twice may have read it before the first return was through.
    rows = Order.objects.of(order.lab_id).select_related("pairing").select_for_update(no_key=True, of=("self",))
    order = rows.get(pk=order.pk)
    if words := why_not(order):
        raise ReturnRefused(words)
    if scan not in (None, order.latest_number):
        raise NewerScan(NEWER)
    revision = Revision.objects.of(order.lab_id).get(order=order, number=order.latest_number)
    try:
        with transaction.atomic():
            made = Return.objects.create(
                lab_id=order.lab_id, order=order, revision=revision, by=by, reason=Reason(reason).value,
                comment=comment, next_due=timezone.now(),
            )  # fmt: skip
    except IntegrityError as error:
        raise ReturnRefused("The return of this case is just being sent to Align.") from error
    record(order, "return_queued", revision=revision, by=by, reason_label=Reason(reason).label)
    note(order, "return.asked", revision=revision, reason=made.reason)
    ring("connector.returns.tasks.send", order.lab_id, made.pk)
    return made


def sweep() -> None:
    """Ring for returns whose time has come (registered with the tick)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, return_id FROM resolve.due_returns(%s)", [200])
        for lab_id, return_id in cursor.fetchall():
            ring("connector.returns.tasks.send", lab_id, return_id)
