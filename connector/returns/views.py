"""Return to doctor: reason, words, confirm."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connector.orders.models import Order
from connector.orders.trail import note
from connector.returns.models import Reason
from connector.returns.refused import dismiss
from connector.returns.services import NewerScan, ReturnRefused, request_return, why_not
from labportal.labs.access import LabRequest, worker

LONGEST = 1000


@require_http_methods(["GET", "POST"])
@worker
def case_return(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """GET shows the form, POST asks for the return; a worker tells Align."""
    order = get_object_or_404(Order.objects.of(request.lab).select_related("pairing"), pk=order_id)
    if request.method == "GET":
        if words := why_not(order):
            messages.warning(request, words)
            return redirect("case", order_id=order.pk)
        return _form(request, order, "", "", [])
    reason, comment = request.POST.get("reason", ""), _typed(request.POST.get("comment", ""))
    errors = []
    if reason not in Reason.values:
        errors.append("Choose why the case must be scanned again.")
    if len(comment) > LONGEST:
        errors.append(f"The words for the doctor have {len(comment):,} characters; 1,000 are possible.")
    if errors:
        return _form(request, order, reason, comment, errors)
    try:
        scan = _number(request.POST.get("scan", ""))
        request_return(order=order, by=request.user, reason=reason, comment=comment, scan=scan)
    except NewerScan as newer:
        order.refresh_from_db(fields=["latest_number"])
        return _form(request, order, reason, comment, [newer.words])
    except ReturnRefused as refused:
        messages.warning(request, refused.words)
    else:
        messages.success(request, "The return is on its way to Align. The case waits for the doctor's re-scan.")
    return redirect("case", order_id=order.pk)


@require_POST
@worker
def return_dismiss(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """Take a refused return off "Needs attention", with a note."""
    order = get_object_or_404(Order.objects.of(request.lab).select_related("lab"), pk=order_id)
    note = request.POST.get("note", "")
    if not note.strip():
        messages.error(request, "Write a short note first: why does nobody need to look at this any more?")
    elif dismiss(order=order, note=note, user=request.user):
        messages.success(request, f"The return of case {order.order_id} is off this list.")
    else:
        messages.warning(request, "This case has changed meanwhile. Look at it again.")
    return redirect("attention")


def _typed(text: str) -> str:
    """The words as they were typed: a browser counts a new line as one character and sends two."""
    return text.replace("\r\n", "\n").replace("\x00", "").strip()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _form(request: LabRequest, order: Order, reason: str, comment: str, errors: list[str]) -> HttpResponseBase:
    """It shows the patient, also when it comes back with what is wrong."""
    note(order, "case.viewed", page="return")
    reasons: list[dict[str, Any]] = [{"value": r.value, "label": r.label, "hint": ""} for r in Reason]
    case = {
        "patient": order.patient or "No name", "order_id": order.order_id, "practice": order.practice,
        "doctor": order.doctor, "url": reverse("case", args=[order.pk]),
    }  # fmt: skip
    form = {"reasons": reasons, "reason": reason, "comment": comment, "errors": errors, "scan": order.latest_number}
    return render(request, "returns/return.html", {"case": case, "form": form}, status=400 if errors else 200)
