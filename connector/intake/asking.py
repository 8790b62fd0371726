"""Asking Align for one RxID under one connection, and what its answer means, in words. Nothing is fetched twice."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from connector.intake.download import ring_download
from connector.intake.outcome import NOT_THE_ORDERS
from connector.intake.record import UnstorableOrder, record_order
from connector.intake.version import files_are_ready, version_key
from connector.itero import Order as VendorOrder
from connector.itero.errors import IteroError, NotFound, RetryableError
from connector.orders.case import explain
from connector.orders.models import HAS_FILES, STOPPED, Order, Revision, RevisionState
from connector.pairing import vendor
from connector.pairing.access import PairingStopped, call
from connector.pairing.models import Pairing, State
from connector.pairing.words import connect_words, reason_words
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError

SIGN_IN = {"invalid_grant", "unauthorized", "unknown_key", "no_key", "broken", "foreign", State.NEEDS_PAIRING}

UNKNOWN = (
    "Align does not know this RxID under this connection. Compare it letter by letter with the practice; if it is "
    "right, the practice sent the scan to another account."
)


@dataclass(frozen=True)
class Answer:
    """What one connection says of an RxID. `found` is the code, `state` two words, `text` what it means and what to do;
    `order_id` is our own order's id where there is one to open."""

    found: str
    state: str
    tone: str
    text: str
    order_id: UUID | None = None


def ask(*, pairing: Pairing, rx_id: str, may_record: bool) -> Answer:
    """Get Order By RxID, and if a scan is ready that is not here, record it so that it is fetched. A person who may
    only look is told instead. No transaction is open."""
    waits = _may_not_ask(pairing)
    if waits is not None:
        return waits
    try:
        seen = call(
            pairing.lab_id,
            pairing.pk,
            lambda a: a.client.get_order_by_rx_id(a.endpoints, access_token=a.access_token, rx_id=rx_id),
        )
        return _meaning(pairing, seen, may_record)
    except NotFound:
        return Answer("unknown", "Not known", "", UNKNOWN)
    except UnstorableOrder:
        return _unreadable()
    except (IteroError, PairingStopped, SealError) as error:
        return _no_answer(error)


def _may_not_ask(pairing: Pairing) -> Answer | None:
    """A connection that waits for a person, or that Align asked to be quiet, is not asked."""
    if pairing.state in {State.NEEDS_PAIRING, State.FORBIDDEN}:
        return _stopped(pairing.reason or pairing.state)
    if pairing.state != State.ACTIVE:
        return _stopped("not_paired")
    if pairing.paused_until and pairing.paused_until > timezone.now():
        minutes = int((pairing.paused_until - timezone.now()).total_seconds() // 60) + 1
        text = f"{_first_sentence(pairing.reason)} Ask again in {minutes} min."
        return Answer("no_answer", "Not asked", "warn", text.strip())
    return None


def _first_sentence(code: str) -> str:
    """What happened, without the promise to go on by ourselves: nobody asks for this RxID but the person here."""
    return connect_words(code).partition(". ")[0].rstrip(".") + "." if code else ""


def _stopped(code: str) -> Answer:
    if code in SIGN_IN:
        text = "Align was not asked: somebody must sign in at Align again. The owner does this on the page Connections."
        return Answer("sign_in", "Sign-in needed", "bad", text)
    return Answer("stopped", "Not asked", "bad", reason_words(code))


def _no_answer(error: IteroError | PairingStopped | SealError) -> Answer:
    if isinstance(error, RetryableError):
        sure = isinstance(error, NOT_THE_ORDERS)
        return Answer("no_answer", "No answer", "warn", connect_words(error.code)) if sure else _unreadable()
    return _stopped(error.code)


def _unreadable() -> Answer:
    text = "Align answered, but the portal can't read the answer. Tell the operator the RxID."
    return Answer("unreadable", "Not readable", "bad", text)


def _meaning(pairing: Pairing, seen: VendorOrder, may_record: bool) -> Answer:
    with in_lab(pairing.lab_id):
        order = Order.with_erased.of(pairing.lab_id).filter(pairing=pairing, order_id=seen.order_id).first()
        known = _revision(order, version_key(seen))
    if order is not None and order.erased_at is not None:
        text = "This case was here and was removed. If the doctor sends a new scan of it, that comes in by itself."
        return Answer("removed", "Removed here", "info", text)
    if order is not None and known is not None:
        return _here(order, known)
    if not files_are_ready(seen, vendor.profile().statuses):
        return _not_ready(seen, order)
    if not may_record:
        text = "The scan is ready at Align, but not here yet. An owner or a technician of your lab can fetch it."
        return Answer("ready", "Ready at Align", "info", text, order.pk if order else None)
    recorded = record_order(pairing, seen, source="lookup")
    if not recorded.new or recorded.revision is None:
        with in_lab(pairing.lab_id):
            latest = Revision.objects.of(pairing.lab_id).filter(order=recorded.order).order_by("-number").first()
        return _here(recorded.order, latest)
    if recorded.revision.state == RevisionState.ASKED_LATER:
        return _here(recorded.order, recorded.revision)
    ring_download(pairing.lab_id, pairing.pk)
    newer = "A newer scan of this case" if recorded.revision.number > 1 else "The scan"
    text = f"{newer} was ready at Align. It is being fetched now; open the case to see it come in."
    return Answer("fetching", "Coming in", "info", text, recorded.order.pk)


def _revision(order: Order | None, key: str) -> Revision | None:
    return Revision.objects.of(order.lab_id).filter(order=order, version_key=key).first() if order else None


def _here(order: Order, revision: Revision | None) -> Answer:
    if revision is None or revision.state in HAS_FILES or revision.state == RevisionState.SUPERSEDED:
        return Answer("here", "Here", "ok", "This scan is here already.", order.pk)
    if revision.state in STOPPED:
        text = f"The case is here, but its scan could not be fetched: {explain(revision.reason)}"
        return Answer("failed", "Needs attention", "bad", text, order.pk)
    if revision.state == RevisionState.ASKED_LATER:
        text = "The case is here. Its files are still at Align: open the case and press “Get all scan files”."
        return Answer("here", "Here", "ok", text, order.pk)
    return Answer("coming", "Coming in", "info", "The case is here, and its scan is on its way.", order.pk)


def _not_ready(seen: VendorOrder, order: Order | None) -> Answer:
    """Align knows it, and has nothing to fetch."""
    ours = order.pk if order else None
    if vendor.profile().statuses.is_with_doctor(seen.status):
        text = "The doctor is still scanning. When the practice sends the scan, it comes in by itself."
        return Answer("doctor", "With the doctor", "warn", text, ours)
    if vendor.profile().statuses.is_in_modeling(seen.status):
        text = "Align is modeling this case. When that is finished, the scan comes in by itself."
        return Answer("modeling", "In modeling", "info", text, ours)
    text = f"At Align this case has the status “{seen.status}”. There are no files to fetch now."
    return Answer("no_files", "No files", "warn", text, ours)
