"""Find my scan, and the reconciliation of a connection."""

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connector.intake import find as finding
from connector.intake.reconcile import ring_reconcile
from connector.intake.reconcile_page import reconciliation_page
from connector.orders import searches
from connector.pairing.models import Pairing, State
from labportal.audit.services import record, record_once
from labportal.labs.access import LabRequest, member, worker
from labportal.labs.middleware import commits_itself
from labportal.labs.tenancy import in_lab


@require_http_methods(["GET", "POST"])
@member
def find(request: LabRequest) -> HttpResponseBase:
    """POST keeps the words and gives an address without them; GET shows the lab's own cases, and the page then asks
    Align by itself, if the words can be an RxID."""
    if request.method == "POST":
        kept = searches.keep(request, request.POST.get("q", ""))
        return redirect(reverse("find") + (f"?s={kept}" if kept else ""))
    words = searches.words_of(request)
    if words is None:
        messages.info(request, "This search is over. Type the words again.")
    return _page(request, words or "", None)


@commits_itself
@require_POST
@member
def find_ask(request: LabRequest) -> HttpResponseBase:
    """Ask Align under every connection. Talks to Align, so no transaction is held."""
    q = searches.cleaned(request.POST.get("q", ""))
    answers = None
    if finding.RX_ID.fullmatch(q):
        record("scan.asked_for", lab_id=request.lab.pk, rx=q)
        answers = finding.ask_all(lab=request.lab, rx_id=q, may_record=request.membership.may_work)
    with in_lab(request.lab.pk, user_id=request.user.pk):
        if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx's middleware
            rows = finding.answer_rows(answers or [])
            return render(request, "intake/_answers.html", {"answers": rows, "asked": True})
        return _page(request, q, answers)


def _page(request: LabRequest, q: str, answers: list[finding.AnswerOf] | None) -> HttpResponseBase:
    cases = finding.own_cases(lab=request.lab, q=q)
    rows = finding.own_rows(cases, lab=request.lab)
    if q:  # never the words themselves: they may be a name
        record("find.searched", lab_id=request.lab.pk, count=len(rows))
    asks = finding.asks_align(q, list(cases[: finding.SHOWN]))
    return render(request, "intake/find.html", {
        "q": q,
        "cases": rows,
        "more": len(rows) == finding.SHOWN,
        "search_id": searches.keep(request, q),
        "asks": asks,
        "ask_url": reverse("find_ask"),
        "connections_count": finding.connections(lab=request.lab).count() if asks else 0,
        "answers": finding.answer_rows(answers or []),
        "asked": answers is not None,
    })  # fmt: skip


@require_GET
@member
def reconciliation(request: LabRequest, pairing_id: UUID) -> HttpResponseBase:
    """What Align shows beside what is here; the same address with htmx gives the result alone."""
    pairing = get_object_or_404(Pairing.objects.of(request.lab), pk=pairing_id)
    page = reconciliation_page(pairing, lab=request.lab, membership=request.membership)
    part = bool(request.htmx)  # type: ignore[attr-defined]  # as above
    seen = timedelta(minutes=10) if part else timedelta(0)
    record_once("reconciliation.viewed", lab_id=request.lab.pk, target=pairing, within=seen)
    return render(request, "intake/_reconciliation.html" if part else "intake/reconciliation.html", page)


@require_POST
@worker
def reconciliation_run(request: LabRequest, pairing_id: UUID) -> HttpResponseBase:
    """Compare with Align now; a worker does it."""
    pairing = get_object_or_404(Pairing.objects.of(request.lab), pk=pairing_id)
    if pairing.state == State.ACTIVE:
        record("reconciliation.asked", lab_id=request.lab.pk, target=pairing)
        ring_reconcile(request.lab.pk, pairing.pk, request.user.pk)
        messages.success(request, "The comparison starts now. The result appears below by itself.")
    else:
        messages.error(request, "This connection does not work at the moment, so Align can't be asked.")
    return redirect("reconciliation", pairing_id=pairing.pk)
