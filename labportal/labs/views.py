"""Choosing the lab one acts for."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from labportal.labs.access import LabRequest, member_at_the_door
from labportal.labs.middleware import needs_no_database


@require_POST
@member_at_the_door
def switch_lab(request: LabRequest) -> HttpResponseBase:
    """Act for another of one's labs from the next page on."""
    slug = request.POST.get("lab", "")
    if any(m.lab.slug == slug for m in request.memberships):
        request.session["lab"] = slug
    return redirect("inbox")


@needs_no_database
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. No database: a probe must not depend on it."""
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")
