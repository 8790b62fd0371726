"""The oracle of every fault case: what Align knows, compared with what the lab has, counted.

It counts instead of asserting, so that a control (the safeguard switched off) can report what it lost.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django_q.models import OrmQ

from connector.intake.attention import reason_of
from connector.intake.models import Notification, Reconciliation, RunStatus, SyncRun
from connector.intake.reconcile import reconcile
from connector.orders import store
from connector.orders.case import explain
from connector.orders.models import HAS_FILES, ON_ITS_WAY, STOPPED, Event, Order, Revision, RevisionState
from connector.pairing.models import Pairing, State
from connector.returns.models import Return, ReturnState
from labportal.labs.tenancy import in_lab
from labportal.sealing import SealError
from tests.align import again, words_on
from tests.faults.findings import Findings
from tests.faults.recovery import OPEN_PUSHES
from tests.faults.traces import CANARY, Traces
from tests.intake.desk import Desk, sha256

SHORTEST = 8  # a token shorter than that could stand in a log by chance
UNKNOWN_WORDS = ("The reason is not known", "Something went wrong (code")


def judge(desk: Desk, traces: Traces, *, only: Iterable[str] | None = None) -> Findings:
    """Compare everything; `only` narrows the scans that are counted to these order ids. Run it when all is quiet."""
    found = Findings()
    truth = desk.align.truth()
    waiting = {order_id for ids in desk.in_stock.values() for order_id in ids}
    arrived = [
        order
        for order in truth["orders"]
        if str(order["account_id"]) == desk.pairing.account_id and order["order_id"] not in waiting
    ]
    wanted = set(only) if only is not None else {order["order_id"] for order in arrived}
    for order in arrived:
        if order["order_id"] in wanted:
            found.orders += 1
            _judge_scans(desk, order, found)
    _judge_returns(desk, arrived, found)
    _judge_sequence(desk, found)
    _judge_leftovers(desk, found)
    _judge_reconciliation(desk, found)
    _judge_words(desk, traces, found)
    return found


def _judge_scans(desk: Desk, truth: dict[str, Any], found: Findings) -> None:
    order_id = truth["order_id"]
    ours = desk.revisions(order_id)
    events = Counter(event.revision_id for event in desk.events() if event.kind == "revision.stored")
    real = {row["sha256_full"]: row for row in truth["revisions"]}
    for revision in ours:
        if revision.has_files:
            _judge_bytes(desk, revision, real, found)
            found.count("lost", f"{order_id} has no event", events[revision.pk] == 0)
            found.count("duplicates", f"{order_id} has {events[revision.pk]} events", events[revision.pk] - 1)
        found.count("stuck", f"{order_id} {revision.state}", revision.state in (*ON_ITS_WAY, RevisionState.STORED))
        found.count("stuck", f"{order_id} has a lease", revision.lease_token is not None)
    stored = Counter(revision.sha256 for revision in ours if revision.has_files)
    for scan in truth["revisions"]:
        copies = stored[scan["sha256_full"]]
        found.count("duplicates", f"{order_id} is stored {copies} times", copies - 1)
        if copies == 0 and (scan["acknowledged"] or scan is truth["revisions"][-1]):
            _judge_missing(desk, order_id, ours, found)


def _judge_bytes(desk: Desk, revision: Revision, real: dict[str, Any], found: Findings) -> None:
    path = desk.zip_of(revision)
    content = path.read_bytes() if path.exists() else b""
    true = real.get(sha256(content))
    right = true is not None and sha256(content) == revision.sha256 and len(content) == revision.size == true["size"]
    found.count("wrong", f"{revision.order.order_id} revision {revision.number}", not right)


def _judge_missing(desk: Desk, order_id: str, ours: list[Revision], found: Findings) -> None:
    """Not here: is the reason on the case's page and on "Needs attention", in words?"""
    latest = ours[-1] if ours else None
    if latest is None or latest.state not in STOPPED:
        found.count("lost", f"{order_id} {latest.state if latest else 'has no row'}")
        return
    told = [
        (f"/cases/{latest.order_id}", explain(latest.reason, latest.state)),
        (reverse("attention"), reason_of(latest)),
    ]
    said = all(
        text and not text.startswith(UNKNOWN_WORDS) and text in words_on(desk.browser, url) for url, text in told
    )
    found.count("explained" if said else "lost", f"{order_id} {latest.state} {latest.reason}")


def _judge_returns(desk: Desk, truth: list[dict[str, Any]], found: Findings) -> None:
    with in_lab(desk.lab.pk):
        ours = Return.objects.of(desk.lab).select_related("order")
        sent = Counter(row.order.order_id for row in ours if row.state == ReturnState.SENT)
        found.count("stuck", "a return is queued", sum(row.state == ReturnState.QUEUED for row in ours))
    for order in truth:
        difference = len(order["returns"]) - sent[order["order_id"]]
        found.count("duplicates", f"{order['order_id']} was returned too often", difference)
        found.count("lost", f"{order['order_id']} was not returned", -difference)


def _judge_sequence(desk: Desk, found: Findings) -> None:
    """The outgoing sequence begins at 1 and has no gap and no number twice."""
    with in_lab(desk.lab.pk):
        numbers = list(Event.objects.of(desk.lab).values_list("seq", flat=True))
    found.count("duplicates", "an event number", len(numbers) - len(set(numbers)))
    found.count("lost", "an event number", max(numbers, default=0) - len(set(numbers)))


def _judge_leftovers(desk: Desk, found: Findings) -> None:
    with in_lab(desk.lab.pk):
        pushes = Notification.objects.of(desk.lab).filter(state__in=OPEN_PUSHES).count()
        runs = SyncRun.objects.of(desk.lab).filter(status=RunStatus.RUNNING).count()
        rows = Revision.objects.of(desk.lab).filter(state__in=HAS_FILES).values_list("pk", flat=True)
        parts = sum(1 for pk in rows for _ in store.staging(pk).glob("*"))
    found.count("stuck", "a push", pushes)
    found.count("stuck", "a run", runs)
    found.count("stuck", "a staging file of a stored scan", parts)


def _judge_reconciliation(desk: Desk, found: Findings) -> None:
    """Align's list = stored + pending + failed, nothing was missing. A pairing that waits for a person can't ask."""
    if again(desk.pairing).state != State.ACTIVE:
        return
    with in_lab(desk.lab.pk):
        Reconciliation.objects.of(desk.lab).delete()  # a second one at once would count as doubled
    run = reconcile(desk.lab.pk, desk.pairing.pk)
    if run is None or run.reason:
        found.count("stuck", f"the reconciliation {run.reason if run else 'did not begin'}")
        return
    bad = {order_id for order_id, _ in run.differing}
    found.count("lost", f"reconciliation: {run.missing_recorded} missing", run.missing_recorded)
    found.count("lost", f"reconciliation: {sorted(bad)}", run.known - run.stored - run.pending - run.failed)


def _judge_words(desk: Desk, traces: Traces, found: Findings) -> None:
    """Patient data and tokens stand in our tables, and nowhere else; Align knows every address that was called there,
    whichever process called it."""
    places = traces.texts()
    places["addresses"] = "\n".join(word for asked in desk.align.asked() for word in (asked, unquote_plus(asked)))
    places["queue"] = "\n".join(repr(row.task) for row in OrmQ.objects.all())
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(django_q_task::text, ' '), '') FROM django_q_task")
        places["failed tasks"] = str(cursor.fetchone()[0])
    for secret in _secrets(desk):
        for place, text in places.items():
            found.count("leaked", f"in {place}", secret in text)


def _secrets(desk: Desk) -> set[str]:
    secrets = {CANARY, settings.ITERO_CLIENT_SECRET, desk.secret}
    with in_lab(desk.lab.pk):
        for pairing in Pairing.objects.of(desk.lab):
            try:
                secrets |= {pairing.tokens.access_token, pairing.tokens.refresh_token}
            except SealError:
                continue
        for order in Order.objects.of(desk.lab):
            secrets |= {order.doctor, order.chart_number}
    return {secret for secret in secrets if len(secret) >= SHORTEST}
