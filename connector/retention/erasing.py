"""Removing a case: first the row, then the bytes.

One transaction empties the row and makes each revision ERASED, so that from then on nobody sees or fetches anything of
it; the bytes go afterwards, and again after a crash: an ERASED revision with a `next_due` still has some. What stays is
Align's order id and RxID (else the case would come in again) and the audit, which holds no patient data.
"""

from datetime import timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from connector.intake.models import Dismissal, Notification
from connector.orders import store
from connector.orders.history import announce, record
from connector.orders.models import (
    ErasedWhy,
    Order,
    Restoration,
    Revision,
    RevisionState,
    ScanFile,
    SeenBy,
    TimelineEvent,
    Workflow,
)
from connector.retention.ledger import write_down
from connector.retention.models import CaseHold
from connector.retention.rules import is_held, one_at_a_time
from connector.returns.models import Return, ReturnState
from labportal.audit import services as audit
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab

# What is said of a person or a treatment; Align's ids, its status and its time mark stay, for recognising the order.
EMPTIED = (
    "order_code", "patient_first", "patient_last", "chart_number", "doctor", "doctor_license", "practice",
    "practice_address", "procedure", "case_type", "notes", "summary", "shade", "thumbnail", "problem",
)  # fmt: skip
A_MOMENT = timedelta(minutes=1)


class CannotErase(Exception):
    """The case must stay for now; `code` says why: held, returning."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def erase(
    lab_id: UUID, order_pk: UUID, *, why: ErasedWhy, by: User | None, among: QuerySet[Order] | None = None
) -> bool:
    """Empty one case; False when it is removed already, or no longer `among` those that may be. Its bytes are due at
    once, or when the lease of a worker that is busy with it has ended. Errors: CannotErase."""
    with in_lab(lab_id):
        one_at_a_time(lab_id)
        rows = Order.objects.of(lab_id) if among is None else among
        order = rows.order_by().filter(pk=order_pk).select_for_update(no_key=True, of=("self",)).first()
        if order is None:
            return False
        if is_held(order):
            raise CannotErase("held")
        if Return.objects.of(lab_id).filter(order=order, state=ReturnState.QUEUED).exists():
            raise CannotErase("returning")
        _empty(order, why)
        _empty_what_hangs_on_it(order)
        latest = _empty_revisions(order)
        record(order, "erased", by=by, why=ErasedWhy(why).label)
        if latest is not None:
            announce(latest, "order.erased")
        audit.record("case.erased", lab_id=lab_id, target=order, why=why.value)
    return True


def _empty(order: Order, why: ErasedWhy) -> None:
    for name in EMPTIED:
        setattr(order, name, "")
    order.teeth, order.due_date, order.scanned_at, order.waiting_since = [], None, None, None
    order.workflow, order.erased_at, order.erased_why = Workflow.DONE, timezone.now(), why
    order.save()


def _empty_what_hangs_on_it(order: Order) -> None:
    ScanFile.objects.of(order.lab_id).filter(revision__order=order).delete()
    Dismissal.objects.of(order.lab_id).filter(revision__order=order).delete()
    Restoration.objects.of(order.lab_id).filter(order=order).delete()
    TimelineEvent.objects.of(order.lab_id).filter(order=order).delete()
    SeenBy.objects.of(order.lab_id).filter(order=order).delete()
    Return.objects.of(order.lab_id).filter(order=order).update(comment="")
    CaseHold.objects.of(order.lab_id).filter(order=order).update(reason="")
    Notification.objects.of(order.lab_id).filter(pairing_id=order.pairing_id, rx_id=order.rx_id).delete()


def _empty_revisions(order: Order) -> Revision | None:
    """A worker that is busy with one loses it here (its lease token is gone); what it may still write is removed when
    its lease would have ended."""
    now, latest = timezone.now(), None
    for revision in Revision.objects.of(order.lab_id).filter(order=order).order_by("number").select_for_update():
        busy_until = revision.lease_until + A_MOMENT if revision.lease_until else now
        Revision.objects.of(order.lab_id).filter(pk=revision.pk).update(
            state=RevisionState.ERASED, rx={}, sha256="", archive="", pieces=b"", reason="", lease_token=None,
            lease_until=None, next_due=max(now, busy_until),
        )  # fmt: skip
        latest = revision
    return latest


def erase_bytes(lab_id: UUID, revision_pk: UUID) -> None:
    """Remove all that is stored of an ERASED revision, then say so in its row. Errors: OSError; it is due still."""
    with in_lab(lab_id):
        gone = Revision.objects.of(lab_id).filter(
            pk=revision_pk, state=RevisionState.ERASED, next_due__lte=timezone.now()
        )
        revision = gone.first()
    if revision is None:
        return
    write_down(revision)
    store.remove(revision)
    with in_lab(lab_id):
        gone.update(next_due=None)
