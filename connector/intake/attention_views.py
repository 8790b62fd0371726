"""Needs attention: look, try again, fetch by RxID, dismiss."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from connector.intake.asking import ask
from connector.intake.attention import attention_page
from connector.intake.dismissing import dismiss as dismiss_scan
from connector.intake.dismissing import try_all_again
from connector.intake.find import RX_ID
from connector.orders import searches, services
from connector.orders.models import Order
from connector.pairing.models import Pairing
from labportal.audit.services import record
from labportal.labs.access import LabRequest, member, worker
from labportal.labs.middleware import commits_itself
from labportal.labs.tenancy import in_lab

GONE_ON = "This case has changed meanwhile. Look at it again."


@require_GET
@member
def attention(request: LabRequest) -> HttpResponseBase:
    """All that stopped or is delayed, with its reason."""
    record("attention.viewed", lab_id=request.lab.pk)
    return render(request, "intake/attention.html", attention_page(lab=request.lab, membership=request.membership))


@require_POST
@worker
def try_again(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """Fetch one scan again, now."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    if services.try_again(order=order, user=request.user):
        messages.success(request, f"Case {order.order_id} is being fetched again now.")
    else:
        messages.warning(request, GONE_ON)
    return redirect("attention")


@require_POST
@worker
def try_all(request: LabRequest) -> HttpResponseBase:
    """Fetch all listed scans again, now."""
    count, left = try_all_again(lab=request.lab, user=request.user)
    words = {0: "There is nothing to try again.", 1: "1 case is being fetched again now."}
    more = f" {left} more {'is' if left == 1 else 'are'} left: press “Try all again” once more." if left else ""
    messages.success(request, (words.get(count) or f"{count} cases are being fetched again now.") + more)
    return redirect("attention")


@require_POST
@worker
def dismiss(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """Take a stopped scan off the list, with a note."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    number, note = request.POST.get("number", ""), request.POST.get("note", "")
    if not note.strip():
        messages.error(request, "Write a short note first: why does nobody need to look at this any more?")
    elif _is_number(number) and dismiss_scan(order=order, number=int(number), note=note, user=request.user):
        messages.success(request, f"Case {order.order_id} is off this list. If it fails again, it comes back.")
    else:
        messages.warning(request, GONE_ON)
    return redirect("attention")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 7


@commits_itself
@require_POST
@worker
def fetch(request: LabRequest) -> HttpResponseBase:
    """Ask Align for one RxID under one connection. Talks to Align, so no transaction is held."""
    rx_id = searches.cleaned(request.POST.get("rx_id", ""))
    with in_lab(request.lab.pk):
        pairing = get_object_or_404(Pairing.objects.of(request.lab), pk=_uuid(request.POST.get("connection", "")))
    if not RX_ID.fullmatch(rx_id):
        messages.error(request, "This is not an RxID. It is one long word of letters and figures; copy it whole.")
        return redirect("attention")
    record("scan.asked_for", lab_id=request.lab.pk, target=pairing, rx=rx_id)
    answer = ask(pairing=pairing, rx_id=rx_id, may_record=True)
    tell = {"bad": messages.error, "ok": messages.success, "info": messages.success}.get(answer.tone, messages.warning)
    tell(request, f"{answer.text} (RxID {rx_id})")
    if answer.order_id and answer.tone in {"ok", "info"}:
        return redirect("case", order_id=answer.order_id)
    return redirect("attention")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
