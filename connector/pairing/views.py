"""Connections: connect, choose an account, health, fetch mode, un-pair."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connector.pairing import connect, services
from connector.pairing.connect import ConnectRefused
from connector.pairing.disconnect import begin_unpair
from connector.pairing.models import ConnectAttempt, FetchMode, Pairing, State
from connector.pairing.pages import connection, fetch_modes
from connector.pairing.portal_trouble import portal_trouble
from connector.pairing.words import connect_words, reason_words
from labportal.audit.services import record
from labportal.labs.access import LabRequest, confirmed, member, owner
from labportal.labs.middleware import commits_itself
from labportal.labs.tenancy import in_lab


@require_GET
@member
def connections(request: LabRequest) -> HttpResponseBase:
    """The lab's pairings and how they are."""
    may, trouble = request.membership.may_manage, portal_trouble()
    never = Q(state=State.CONNECTING) | Q(state=State.UNPAIRED, paired_at=None)
    pairings = Pairing.objects.of(request.lab).exclude(never).order_by("account_name")
    return render(request, "pairing/connections.html", {
        "connections": [connection(pairing, trouble=trouble) for pairing in pairings],
        "may_manage": may,
        "connect_url": reverse("connect"),
        "empty": "Sign in at Align once and choose your lab's account. From then on its cases come in by themselves.",
    })  # fmt: skip


@require_POST
@owner
@confirmed
def begin(request: LabRequest) -> HttpResponseBase:
    """Off to Align's log-in page."""
    return _to_align(request, None)


@require_POST
@owner
@confirmed
def reconnect(request: LabRequest, pairing_id: UUID) -> HttpResponseBase:
    """Sign in at Align again for a pairing that stopped; it goes on where it was."""
    return _to_align(request, get_object_or_404(Pairing.objects.of(request.lab), pk=pairing_id))


def _to_align(request: LabRequest, pairing: Pairing | None) -> HttpResponseBase:
    try:
        return redirect(connect.begin(lab=request.lab, user=request.user, reconnect=pairing))
    except ConnectRefused as refused:
        return _refused(request, refused)


def _refused(request: LabRequest, refused: ConnectRefused) -> HttpResponseBase:
    record("pairing.refused", lab_id=request.lab.pk, problem=refused.code)
    messages.error(request, connect_words(refused.code))
    return redirect("connections")


@commits_itself
@require_GET
@owner
def callback(request: LabRequest) -> HttpResponseBase:
    """Back from Align with a code, or with a refusal. Talks to Align, so no transaction is held."""
    answer = {key: request.GET.get(key, "")[:2000] for key in ("state", "code", "error")}
    try:
        attempt = connect.receive(lab=request.lab, user=request.user, **answer)
        again = attempt.reconnect
        if again is None or not any(a["account_id"] == again.account_id for a in attempt.accounts):
            return redirect("choose_account", attempt_id=attempt.pk)
        pairing = connect.finish(
            lab=request.lab,
            attempt=attempt,
            account_id=again.account_id,
            fetch_mode=again.fetch_mode,
        )
    except ConnectRefused as refused:
        return _refused(request, refused)
    return _paired(request, pairing)


def _paired(request: LabRequest, pairing: Pairing) -> HttpResponseBase:
    messages.success(request, f"“{pairing.account_name}” is connected. Its cases come in by themselves from now on.")
    return redirect("connections")


@commits_itself
@require_http_methods(["GET", "POST"])
@owner
@confirmed
def choose_account(request: LabRequest, attempt_id: UUID) -> HttpResponseBase:
    """Which account of this Align log-in; Pair is called on POST, so no transaction is held."""
    with in_lab(request.lab.pk, user_id=request.user.pk):
        mine = ConnectAttempt.objects.of(request.lab).select_related("reconnect")
        attempt = get_object_or_404(mine, pk=attempt_id, user=request.user, finished_at=None)
        if request.method == "GET":
            return render(request, "pairing/choose_account.html", {
                "accounts": [_offered(request, account) for account in attempt.accounts],
                "choose_url": request.path,
                "fetch_modes": fetch_modes(FetchMode.FULL),
            })  # fmt: skip
    account, mode = request.POST.get("account", ""), request.POST.get("fetch_mode", FetchMode.FULL)
    try:
        pairing = connect.finish(lab=request.lab, attempt=attempt, account_id=account, fetch_mode=mode)
    except ConnectRefused as refused:
        return _refused(request, refused)
    return _paired(request, pairing)


def _offered(request: LabRequest, account: dict[str, str]) -> dict[str, Any]:
    link = connect.account_link(account["account_id"])
    taken = ""
    if link is not None and link[0] != request.lab.pk:
        taken = reason_words("taken")
    elif link is not None and link[2] == State.ACTIVE:
        taken = "Connected here already."
    return {**account, "taken": taken}


@require_POST
@owner
def sync(request: LabRequest, pairing_id: UUID) -> HttpResponseBase:
    """Look at Align's list now."""
    pairing = get_object_or_404(Pairing.objects.of(request.lab), pk=pairing_id)
    services.sync_now(pairing=pairing)
    messages.success(request, "Align is being asked for new cases now.")
    return redirect("connections")


@require_POST
@owner
def mode(request: LabRequest, pairing_id: UUID) -> HttpResponseBase:
    """What new cases fetch by themselves."""
    pairing = get_object_or_404(Pairing.objects.of(request.lab), pk=pairing_id)
    if services.set_fetch_mode(pairing=pairing, fetch_mode=request.POST.get("fetch_mode", "")):
        messages.success(request, "Saved. It counts for cases that come in from now on.")
    return redirect("connections")


@commits_itself
@require_POST
@owner
def test(request: LabRequest, pairing_id: UUID) -> HttpResponseBase:
    """Ask Align one harmless question; no transaction is held meanwhile."""
    with in_lab(request.lab.pk):
        pairing = get_object_or_404(Pairing.objects.of(request.lab), pk=pairing_id)
    code = services.check_connection(pairing=pairing)
    if code:
        messages.error(request, reason_words(code))
    else:
        messages.success(request, "Align answers, and accepts our sign-in.")
    return redirect("connections")


@require_POST
@owner
@confirmed
def unpair(request: LabRequest, pairing_id: UUID) -> HttpResponseBase:
    """First what stops and what stays; then, confirmed, the end of the pairing."""
    pairing = get_object_or_404(Pairing.objects.of(request.lab), pk=pairing_id)
    if request.POST.get("confirm") != "yes":
        return render(request, "pairing/unpair.html", {
            "connection": {"account_name": pairing.account_name}, "unpair_url": request.path
        })  # fmt: skip
    begin_unpair(pairing=pairing)
    messages.success(request, f"“{pairing.account_name}” is being disconnected. Its cases stay here.")
    return redirect("connections")
