"""The lab's audit: look, check, export. The owner's alone, and each look is in it."""

from datetime import timedelta

from django.contrib import messages
from django.http import FileResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labportal.audit import anchors
from labportal.audit.services import record
from labportal.audit.verify import verify
from labportal.audit_pages import export
from labportal.audit_pages.listing import Query, choices_of_who, entries, page
from labportal.audit_pages.words import THINGS
from labportal.labs.access import LabRequest, confirmed, owner
from labportal.labs.models import Membership

# A walk of this length takes some seconds; a longer chain is checked by the operator's command.
CHECKED_HERE = 200_000


@require_http_methods(["GET", "POST"])
@owner
def audit(request: LabRequest) -> HttpResponseBase:
    """Who saw and did what, newest first. The filters are posted, so that a name typed by mistake gets into no address;
    those that can be read are the address."""
    if request.method == "POST":
        query = Query.read(request.POST)
        if query.case and not query.names_a_case:
            messages.warning(request, "Enter the case's order number. This record knows no names.")
        return redirect(query.url())
    query = Query.read(request.GET)
    rows, more = page(request.lab, query)
    record("audit.viewed", lab_id=request.lab.pk)
    return render(request, "audit/audit.html", {
        "rows": rows,
        "query": query,
        "next_url": more,
        "first_url": query.url() if query.before else "",
        "everything_url": Query().url(),
        "exports": [{"label": kind.upper(), "url": query.url("audit_export", format=kind)} for kind in ("csv", "json")],
        "who": choices_of_who(request.lab),
        "things": THINGS,
        "zone": request.lab.time_zone,
    })  # fmt: skip


@require_GET
@owner
@confirmed
def audit_export(request: LabRequest) -> HttpResponseBase:
    """All entries that the filters let through, as a file."""
    query, kind = Query.read(request.GET), "json" if request.GET.get("format") == "json" else "csv"
    rows = entries(request.lab, query)
    members = Membership.objects.of(request.lab).select_related("user")
    names = {str(member.user_id): member.user.display_name for member in members}
    count, found = rows.count(), rows.iterator(chunk_size=2000)
    file = export.as_json(found, names) if kind == "json" else export.as_csv(found, names)
    record("audit.exported", lab_id=request.lab.pk, entries=count, format=kind)
    name = f"audit-{request.lab.slug}-{timezone.localdate():%Y-%m-%d}.{kind}"
    content = "application/json" if kind == "json" else "text/csv; charset=utf-8"
    response = FileResponse(file, as_attachment=True, filename=name, content_type=content)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_POST
@owner
def audit_check(request: LabRequest) -> HttpResponseBase:
    """Walk the lab's whole chain, now."""
    length = entries(request.lab, Query()).values_list("seq", flat=True).first() or 0
    if length > CHECKED_HERE:
        messages.info(request, f"The record has {length:,} entries. Ask the portal's operator to check it.")
    else:
        _check(request)
    return redirect("audit")


def _check(request: LabRequest) -> None:
    begun = timezone.now()
    try:
        verdict = verify(request.lab.pk, anchors.load().get(request.lab.pk, {}), using="default")
    except anchors.AnchorsBroken:
        messages.error(request, "The portal's daily anchors can't be read. Tell the portal's operator.")
        return
    record("audit.checked", lab_id=request.lab.pk, entries=verdict.length, broken=verdict.broken)
    if verdict.broken:
        messages.error(
            request,
            f"The record is not whole at entry {verdict.seq}: {verdict.words}. Tell the portal's operator, and keep"
            " this page as it is.",
        )
    else:
        took = max((timezone.now() - begun) // timedelta(seconds=1), 1)
        messages.success(
            request, f"All {verdict.length:,} entries are as they were written, without a gap. Checked in {took} s."
        )
