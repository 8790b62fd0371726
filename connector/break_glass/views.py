"""The operator's pages of a look, inside the admin site's door. Each page that shows patient data is recorded in the
lab's own chain, and read as the walled role of that one lab."""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connector.break_glass import page, services
from connector.break_glass.models import Look
from connector.orders.trail import note
from labportal.audit.services import record
from labportal.labs.access import confirmed
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab


def _show(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponseBase:
    whole = {**admin.site.each_context(request), "title": title, **context}
    return render(request, f"break_glass/{template}.html", whole)


def _mine(request: HttpRequest, look_id: UUID) -> Look:
    """An open look of this very operator, else 404."""
    rows = Look.objects.select_related("lab").filter(by_id=request.user.pk, ended_at=None, ends_at__gt=timezone.now())
    return get_object_or_404(rows, pk=look_id)


@never_cache
@require_http_methods(["GET", "POST"])
@confirmed
def begin(request: Any) -> HttpResponseBase:
    """GET shows the form and one's open looks, POST begins one."""
    assert isinstance(request.user, User)
    given = {name: request.POST.get(name, "").replace("\x00", "") for name in ("lab", "reason", "minutes")}
    if request.method == "POST":
        lab = get_object_or_404(Lab, slug=given["lab"])
        try:
            minutes = int(given["minutes"]) if given["minutes"].isdigit() else 0
            look = services.begin(lab=lab, by=request.user, reason=given["reason"], minutes=minutes)
        except ValueError:
            messages.error(request, f"Write why, in at least {services.SHORTEST} characters, and choose a time.")
        else:
            return redirect("break_glass_cases", look_id=look.pk)
    mine = Look.objects.select_related("lab").filter(by=request.user, ended_at=None, ends_at__gt=timezone.now())
    return _show(
        request, "begin", "Look into a lab's cases", labs=list(Lab.objects.order_by("name")),
        minutes=services.MINUTES, given=given, looks=list(mine),
    )  # fmt: skip


@never_cache
@require_http_methods(["GET", "POST"])
def cases(request: HttpRequest, look_id: UUID) -> HttpResponseBase:
    """POST searches: the words may be a name, which has no place in an address."""
    look, q = _mine(request, look_id), request.POST.get("q", "").replace("\x00", "").strip()[:80]
    with in_lab(look.lab_id):
        found = page.cases(look.lab, q)
        record("break_glass.listed", lab_id=look.lab_id, target=look, count=len(found), search=bool(q))
    return _show(request, "cases", f"Cases of {look.lab.name}", look=look, cases=found, q=q)


@never_cache
@require_GET
def case(request: HttpRequest, look_id: UUID, order_id: UUID) -> HttpResponseBase:
    look = _mine(request, look_id)
    with in_lab(look.lab_id):
        found = page.case(look.lab, order_id)
        if found is None:
            raise Http404
        note(found[0], "break_glass.viewed", look=look.pk)
    return _show(request, "case", f"Case {found[0].order_id}", look=look, **found[1])


@require_POST
def end(request: HttpRequest, look_id: UUID) -> HttpResponseBase:
    services.end(look=_mine(request, look_id))
    messages.success(request, "The look has ended.")
    return redirect("break_glass")
