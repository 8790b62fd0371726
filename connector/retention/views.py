"""The page "Data": how long cases are kept, legal holds, and one patient's data."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from connector.orders.guard import FileDamaged, FileMissing, FileUnreadable
from connector.orders.models import Order
from connector.retention import patient, services
from connector.retention.models import CaseHold, LabHold
from connector.retention.page import data_page
from connector.retention.rules import case_hold as case_hold_on
from connector.retention.rules import lab_hold as lab_hold_on
from connector.retention.services import NotPossible, cleaned, read_days
from labportal.audit import services as audit
from labportal.labs.access import LabRequest, confirmed, owner
from labportal.labs.middleware import commits_itself
from labportal.labs.tenancy import in_lab

WORD = "REMOVE"
KEPT = {
    "held": "{n} under a legal hold",
    "returning": "{n} whose return to the doctor is not at Align yet (try again when it is, or disconnect the account)",
}


@require_GET
@owner
def data(request: LabRequest) -> HttpResponseBase:
    """The page; `?days=365` previews a policy before it is set."""
    asked, days, error = "days" in request.GET, None, ""
    try:
        days = read_days(request.GET.get("days", ""))
    except NotPossible as reason:
        asked, error = False, reason.words
    page = data_page(lab=request.lab, days=days, asked=asked, error=error)
    named = len(page["holds"]) + len(page["preview"]["cases"] if page["preview"] else ())
    if named:
        audit.record("retention.viewed", lab_id=request.lab.pk, count=named)
    return render(request, "retention/data.html", page)


@require_POST
@owner
@confirmed
def set_policy(request: LabRequest) -> HttpResponseBase:
    """Set how long cases are kept."""
    try:
        days = read_days(request.POST.get("days", ""))
    except NotPossible as reason:
        messages.error(request, reason.words)
        return redirect("data")
    services.set_policy(lab=request.lab, days=days, by=request.user)
    messages.success(
        request, "Saved. A stricter rule removes its first case in a day at the earliest." if days else "Saved."
    )
    return redirect("data")


@require_POST
@owner
def lab_hold(request: LabRequest) -> HttpResponseBase:
    """Legal hold on all cases."""
    reason = request.POST.get("reason", "")
    _hold(request, lambda: services.hold_lab(lab=request.lab, reason=reason, by=request.user))
    return redirect("data")


@require_POST
@owner
def case_hold(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """Legal hold on one case."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    reason = request.POST.get("reason", "")
    _hold(request, lambda: services.hold_case(order=order, reason=reason, by=request.user))
    return redirect("case", order_id=order_id)


def _hold(request: LabRequest, set_it: Callable[[], object]) -> None:
    try:
        set_it()
    except NotPossible as reason:
        messages.error(request, reason.words)
    else:
        messages.success(request, "Legal hold set: nothing of it is removed until somebody releases it.")


@require_POST
@owner
@confirmed
def case_release(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """End the hold on one case."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    _release(request, case_hold_on(order))
    return redirect("case", order_id=order_id)


@require_POST
@owner
@confirmed
def lab_release(request: LabRequest) -> HttpResponseBase:
    """End the hold on all cases."""
    _release(request, lab_hold_on(request.lab.pk))
    return redirect("data")


def _release(request: LabRequest, held: CaseHold | LabHold | None) -> None:
    if held is None:
        messages.warning(request, "There is no hold on it any more.")
        return
    services.release(held=held, by=request.user)
    messages.success(request, "The legal hold is released. The rule for keeping cases counts again.")


@owner
@confirmed
def find_patient(request: LabRequest) -> HttpResponseBase:
    """A patient's cases. Not by GET, since a name does not belong into an address; who comes so begins at the page."""
    if request.method != "POST":
        return redirect("data")
    return _found(request)


def _found(request: LabRequest) -> HttpResponseBase:
    q = cleaned(request.POST.get("q", ""))[:200]
    found = list(patient.cases_of(lab=request.lab, q=q))
    audit.record("patient.searched", lab_id=request.lab.pk, found=len(found))
    return render(request, "retention/patient.html", {"q": q, "orders": found, "shown": patient.SHOWN})


def _none_chosen(request: LabRequest) -> HttpResponseBase:
    """Said above the cases that were found, so that nobody types the name again."""
    messages.warning(request, "Choose at least one case.")
    return _found(request) if request.POST.get("q") else redirect("data")


@require_POST
@owner
@confirmed
def export(request: LabRequest) -> HttpResponseBase:
    """All that is held of the chosen cases, in one zip."""
    orders = patient.chosen(lab=request.lab, ids=_ids(request.POST.getlist("order")))
    if not orders:
        return _none_chosen(request)
    try:
        return patient.export(lab=request.lab, orders=orders)
    except FileDamaged:
        messages.error(
            request,
            "A stored scan was damaged, so the export would not be whole. The portal fetches it from Align again or "
            "holds it back. Try again in some minutes; the case says more.",
        )
        return redirect("data")
    except FileUnreadable:
        messages.error(
            request,
            "The portal's store does not give a stored scan out just now, so the export would not be whole. Try again "
            "in some minutes; if it stays so, tell the operator.",
        )
        return redirect("data")
    except FileMissing:
        messages.error(
            request, "A stored scan is not in its place, so the export would not be whole. Tell the operator."
        )
        return redirect("data")


@commits_itself
@require_POST
@owner
@confirmed
def remove(request: LabRequest) -> HttpResponseBase:
    """Ask for the word first; with it, remove the chosen cases. Each case is its own transaction."""
    with in_lab(request.lab.pk):
        orders = patient.chosen(lab=request.lab, ids=_ids(request.POST.getlist("order")))
        if not orders:
            return _none_chosen(request)
    typed = request.POST.get("word")
    if typed is None or typed.strip() != WORD:
        with in_lab(request.lab.pk):
            audit.record("patient.removal_asked", lab_id=request.lab.pk, count=len(orders))
            context = {"orders": orders, "word": WORD, "wrong": typed is not None}
            return render(request, "retention/remove.html", context)
    done, kept = patient.remove(lab=request.lab, ids=[order.pk for order in orders], by=request.user)
    _tell(request, done, kept)
    return redirect("data")


def _tell(request: LabRequest, done: int, kept: dict[str, int]) -> None:
    if done:
        messages.success(request, "1 case is removed." if done == 1 else f"{done} cases are removed.")
    if kept:
        why = ", ".join(KEPT[code].format(n=n) for code, n in kept.items())
        messages.warning(request, f"Not removed: {why}.")


def _ids(texts: Sequence[str]) -> list[UUID]:
    ids: dict[UUID, None] = {}
    for text in texts:
        with suppress(ValueError):
            ids[UUID(text)] = None
    return list(ids)
