"""Inbox and case pages."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from connector.orders import searches, services
from connector.orders.case import case_page, mark_of
from connector.orders.haste import unhurried
from connector.orders.inbox import LANES, Query, listed, rows
from connector.orders.models import ErasedWhy, Order, Revision
from connector.orders.paging import SORTS
from connector.orders.trail import note
from connector.pairing.models import LINKED, Pairing
from labportal.audit.services import record, record_once
from labportal.labs.access import LabRequest, member, worker


@require_safe
@member
def inbox(request: LabRequest) -> HttpResponseBase:
    """The lab's cases; the same address with htmx gives the rows alone."""
    orders = Order.objects.of(request.lab)
    query = Query.read(request.GET, words=searches.words_of(request))
    found, cursor = rows(listed(orders, query, timezone.localdate()), query, lab=request.lab, user=request.user)
    empty = None if found else _empty(request, query)
    part = bool(request.htmx)  # type: ignore[attr-defined]  # set by django-htmx's middleware
    _note_list(request, query, len(found), part=part)
    if part:
        return _with_notices(request, render(request, "orders/_rows.html", {"rows": found, "empty": empty}))
    return render(request, "orders/inbox.html", {
        "heading": "Search" if query.s else LANES[query.lane],
        "search": {"q": query.q or "", "keep": list(query.words(s="").items())},
        "chips": _chips(request, query),
        "sort": {"current": query.sort, "options": _sorts(query)},
        "rows": found,
        "next_url": query.url(after=cursor) if cursor else "",
        "first_url": query.url() if query.cursor else "",
        "refresh_url": query.url(after=query.cursor),
        "empty": empty,
    })  # fmt: skip


def _with_notices(request: LabRequest, rows: HttpResponse) -> HttpResponse:
    """A download leaves its page as it is: what it had to say comes with the rows, to the page that waits for it."""
    if request.headers.get("X-Notices"):
        said = [{"text": str(one), "tone": one.level_tag} for one in messages.get_messages(request)]
        if said:
            trigger_client_event(rows, "notices", {"said": said})
    return rows


@require_POST
@member
def search(request: LabRequest) -> HttpResponseBase:
    """Words in, an address without them out: one that can be reloaded, gone back to and refreshed."""
    query = Query.read(request.POST)
    return redirect(query.url(s=searches.keep(request, request.POST.get("q", ""))))


REFRESHED = timedelta(hours=1)


def _note_list(request: LabRequest, query: Query, count: int, *, part: bool) -> None:
    """A list that somebody opened is recorded each time; a list that keeps itself fresh, once an hour for each list
    and person. Never the words of a search: they are names."""
    facts: dict[str, Any] = {"lane": query.lane, "search": bool(query.s), "count": count}
    if part:
        this = f"list:{hashlib.sha256(request.GET.urlencode().encode()).hexdigest()[:16]}"
        record_once("inbox.refreshed", lab_id=request.lab.pk, target=this, within=REFRESHED, loosely=True, **facts)
    else:
        record("inbox.viewed", lab_id=request.lab.pk, **facts)


def _sorts(query: Query) -> list[dict[str, object]]:
    return [
        {
            "key": key,
            "label": label,
            "url": query.url(sort="" if key == "received" else key),
            "active": key == query.sort,
        }
        for key, label in SORTS.items()
    ]


def _chips(request: LabRequest, query: Query) -> list[dict[str, object]]:
    """Filters as links that one can bookmark."""
    chips: list[dict[str, object]] = [
        {"label": "Due this week", "url": query.url(due="" if query.due else "week"), "active": bool(query.due),
         "removable": bool(query.due)},
    ]  # fmt: skip
    pairings = list(Pairing.objects.of(request.lab).filter(state__in=LINKED).order_by("account_name"))
    if len(pairings) > 1 or query.pairing:
        for pairing in pairings:
            on = query.pairing == str(pairing.pk)
            url = query.url(connection="" if on else str(pairing.pk))
            chips.append({"label": pairing.account_name, "url": url, "active": on, "removable": on})
    if query.doctor:
        chips.append({"label": query.doctor, "url": query.url(doctor=""), "active": True, "removable": True})
    if query.q:
        chips.append({"label": f"“{query.q}”", "url": query.url(s=""), "active": True, "removable": True})
    return chips


def _empty(request: LabRequest, query: Query) -> dict[str, str]:
    """What an empty list says: what it means, and what to do."""
    if query.q is None:
        return {"title": "This search is over",
                "text": "Its words stand in no address, and are kept only for a while. Type them again above.",
                "action_label": "Show all cases", "action_url": f"{reverse('inbox')}?lane=all"}  # fmt: skip
    if query.cursor:
        return {"title": "That was the last case", "text": "The cases that stood here moved on meanwhile.",
                "action_label": "First page", "action_url": query.url()}  # fmt: skip
    if query.q or query.due or query.doctor or query.pairing:
        return {"title": "No case fits", "text": "Try fewer or other words, or remove a filter.",
                "action_label": "Show all cases", "action_url": f"{reverse('inbox')}?lane=all"}  # fmt: skip
    if not Pairing.objects.of(request.lab).filter(state__in=LINKED).exists():
        return {"title": "No connection to Align yet",
                "text": "Cases come in by themselves as soon as your lab is connected to its account at Align.",
                "action_label": "Connections", "action_url": reverse("connections")}  # fmt: skip
    words = {
        "inbox": ("Nothing new", "New cases appear here by themselves, without reloading the page."),
        "work": ("No case in work", "Open a case and press “In work”; it then stands here."),
        "waiting": ("No case waits for a doctor", "Cases that you return to the doctor stand here until the re-scan."),
        "overdue": ("Nothing is overdue", "Cases that are not done by their due date stand here."),
        "attention": ("Nothing needs attention", "Cases that could not be fetched stand here, with the reason."),
        "done": ("No case is done yet", "Open a case and press “Done”; it then stands here."),
        "all": ("No case yet", "New cases appear here by themselves."),
    }
    title, text = words[query.lane]
    return {"title": title, "text": text, "action_label": "", "action_url": ""}


@require_safe
@member
@unhurried
def case(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """One case; `?revision=2` shows an older scan. Opening it takes this person's new mark away."""
    order = get_object_or_404(Order.with_erased.of(request.lab).select_related("pairing"), pk=order_id)
    if order.erased_at is not None:
        context = {"order": order, "why": ErasedWhy(order.erased_why).label}
        return render(request, "orders/erased.html", context, status=410)
    if request.method == "GET":
        services.mark_seen(order=order, user=request.user)
    note(order, "case.viewed")
    wanted = request.GET.get("revision", "")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else None
    page = case_page(order, number=number, lab=request.lab, membership=request.membership)
    return render(request, "orders/case.html", page)


@require_safe
@member
def case_mark(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """What an open page of a case without scans asks again and again: another text when the page would say something
    else. No patient is shown, so that no view is recorded."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    latest = Revision.objects.of(request.lab).filter(order=order).order_by("-number").first()
    return HttpResponse(mark_of(order, latest), content_type="text/plain; charset=utf-8")


@require_POST
@worker
def workflow(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """Mark a case new, in work or done."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    services.set_workflow(order=order, workflow=request.POST.get("workflow", ""), user=request.user)
    return redirect("case", order_id=order.pk)


@require_POST
@worker
def get_all(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """Ask for all scan files of a case that waits at Align."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    services.ask_for_files(order=order, user=request.user)
    return redirect("case", order_id=order.pk)


@require_POST
@worker
def try_again(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """Fetch a stopped or delayed scan again, now."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    services.try_again(order=order, user=request.user)
    return redirect("case", order_id=order.pk)
