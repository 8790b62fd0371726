"""Ask for a return, send it to Align, and say in words when Align refuses."""

from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connector.itero.errors import IteroError
from connector.orders.history import record
from connector.orders.models import Order, Revision
from connector.pairing.access import PairingStopped, back_off, call
from connector.returns.models import Reason, Return, ReturnState
from labportal.doorbell import ring
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab

TRIES = 12
CLAIM = timedelta(minutes=3)


class ReturnRefused(Exception):
    """The case can't be returned now; `words` says why."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


def why_not(order: Order) -> str:
    """Why this case can't be returned now, in words; '' when it can."""
    if order.waiting_since is not None:
        return "This case is with the doctor already. The re-scan will arrive here as a new revision."
    if Return.objects.of(order.lab_id).filter(order=order, state=ReturnState.QUEUED).exists():
        return "The return of this case is just being sent to Align."
    if not order.latest_number:
        return "Align has not sent any scan of this case yet."
    if not order.pairing.is_linked:
        return "The connection to Align has ended, so Align can't be told. Connect the account again first."
    return ""


def request_return(*, order: Order, by: User, reason: str, comment: str) -> Return:
    """Queue a return of the latest revision; a worker tells Align. Errors: ReturnRefused."""
    if words := why_not(order):
        raise ReturnRefused(words)
    revision = Revision.objects.of(order.lab_id).get(order=order, number=order.latest_number)
    try:
        with transaction.atomic():
            made = Return.objects.create(
                lab_id=order.lab_id, order=order, revision=revision, reason=Reason(reason).value, comment=comment, by=by,
                next_due=timezone.now(),
            )  # fmt: skip
    except IntegrityError as error:
        raise ReturnRefused("The return of this case is just being sent to Align.") from error
    record(order, "return_queued", revision=revision, by=by, reason_label=Reason(reason).label)
    ring("connector.returns.tasks.send", order.lab_id, made.pk)
    return made


def send(lab_id: UUID, return_id: UUID) -> None:
    """Tell Align once; on trouble try again later, on a refusal stop with the reason."""
    wanted = _claim(lab_id, return_id)
    if wanted is None:
        return
    words = f"{Reason(wanted.reason).label}. {wanted.comment}".strip()
    try:
        call(
            lab_id,
            wanted.order.pairing_id,
            lambda a: a.client.return_to_doctor(
                a.endpoints,
                access_token=a.access_token,
                order_id=wanted.order.order_id,
                reason=wanted.reason,
                comment=words,
            ),
        )
    except (IteroError, PairingStopped) as error:
        _not_sent(wanted, error)
        return
    _sent(wanted)


def _claim(lab_id: UUID, return_id: UUID) -> Return | None:
    """Take the return for three minutes by moving its due time; nobody else sends it meanwhile."""
    now = timezone.now()
    with in_lab(lab_id):
        mine = Return.objects.of(lab_id).filter(pk=return_id, state=ReturnState.QUEUED, next_due__lte=now)
        if not mine.update(next_due=now + CLAIM):
            return None
        return Return.objects.of(lab_id).select_related("order", "revision", "by").get(pk=return_id)


def _sent(done: Return) -> None:
    now = timezone.now()
    with in_lab(done.lab_id):
        Return.objects.of(done.lab_id).filter(pk=done.pk).update(
            state=ReturnState.SENT, sent_at=now, problem="", next_due=None
        )
        order = Order.objects.of(done.lab_id).select_for_update().get(pk=done.order_id)
        # A re-scan may have arrived while Align answered: then nobody waits any more.
        if order.latest_number == done.revision.number:
            order.waiting_since = now
            order.save(update_fields=["waiting_since", "updated_at"])
        record(order, "return_sent", revision=done.revision, by=done.by)


def _not_sent(wanted: Return, error: IteroError | PairingStopped) -> None:
    again = (isinstance(error, PairingStopped) or error.retry) and wanted.attempts + 1 < TRIES
    wait = timedelta(seconds=back_off(wanted.attempts, getattr(error, "retry_after", None)))
    with in_lab(wanted.lab_id):
        Return.objects.of(wanted.lab_id).filter(pk=wanted.pk).update(
            state=ReturnState.QUEUED if again else ReturnState.REFUSED,
            problem=error.code,
            attempts=wanted.attempts + 1,
            next_due=timezone.now() + wait if again else None,
        )
        if not again:
            record(wanted.order, "return_refused", revision=wanted.revision, by=wanted.by, reason=error.code)


def sweep() -> None:
    """Ring for returns whose time has come (registered with the tick)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lab_id, return_id FROM resolve.due_returns(%s)", [200])
        for lab_id, return_id in cursor.fetchall():
            ring("connector.returns.tasks.send", lab_id, return_id)
