"""Handing out files to people: the access check comes first and reads all that the answer needs."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from connector.orders import delivery, services
from connector.orders.guard import FileDamaged, FileMissing, FileUnreadable, must_be_sound
from connector.orders.haste import unhurried
from connector.orders.models import HAS_FILES, Order, Revision, ScanFile
from connector.orders.ranges import RangeOutside
from connector.orders.trail import note_once, note_refusal
from labportal.audit.services import Fact
from labportal.labs.access import LabRequest, member

AT_ONCE = 100
NOT_SOUND = {
    FileDamaged: "the stored file was damaged. The portal fetches it from Align again or holds it back; the case says "
    "which.",
    FileUnreadable: "the portal's store does not give the stored file out just now. Try again in a few minutes; if it "
    "stays so, tell the operator.",
    FileMissing: "the stored file is not in its place. Tell the operator.",
}
# Pictures come by the dozen with a page: who saw a case in a list is written once a day, in the case once an hour.
IN_A_LIST, IN_THE_CASE = timedelta(days=1), timedelta(hours=1)


@require_safe
@member
@unhurried
def revision_zip(request: LabRequest, order_id: UUID, number: int) -> HttpResponseBase:
    """The whole zip of one revision."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    revisions = Revision.objects.of(request.lab).filter(order=order, state__in=HAS_FILES)
    revision = get_object_or_404(revisions.select_related("order"), number=number)
    what = f"zip of scan {number}"
    return _hand_out(request, lambda: delivery.stored_zip(request, order, revision), revision, what, "zip")


@require_safe
@member
@unhurried
def file(request: LabRequest, order_id: UUID, file_id: UUID) -> HttpResponseBase:
    """One file of a case."""
    files = ScanFile.objects.of(request.lab).select_related("revision", "revision__order")
    found = get_object_or_404(files, pk=file_id, revision__order_id=order_id, revision__state__in=HAS_FILES)
    what = f"one file ({found.role})"
    return _hand_out(
        request, lambda: delivery.stored_member(request, found), found.revision, what, found.role, member=found.member
    )


def _hand_out(
    request: LabRequest,
    answer: Callable[[], delivery.Delivery],
    revision: Revision,
    what: str,
    code: str,
    **which: Fact,
) -> HttpResponseBase:
    """Whole or in part; each is written down, but for a look (HEAD) and for the rest of what is written down."""
    order = revision.order
    try:
        response = answer()
    except RangeOutside as outside:
        return HttpResponse(status=416, headers=outside.headers)
    except FileMissing as error:
        return _not_to_be_had(request, revision, error)
    if request.method == "GET":
        services.downloaded(
            order=order, user=request.user, revision=revision, what=what, code=code, part=response.part, **which
        )
    return delivery.without_body(request, response)


def _not_to_be_had(request: LabRequest, revision: Revision, error: FileMissing) -> HttpResponseBase:
    """The file was here and is gone, not what it was, or can't be read: the page says which, and what becomes of it. It
    names the patient, and the transaction of an answer 503 is rolled back: so it is recorded as a refusal is."""
    order = revision.order
    case = {"patient": order.patient or "No name", "order_id": order.order_id, "pk": order.pk}
    if isinstance(error, FileDamaged):
        note_refusal(order, "case.file_damaged", revision=revision)
        return render(request, "orders/file_damaged.html", {"case": case, "again": error.again}, status=503)
    if isinstance(error, FileUnreadable):
        note_refusal(order, "case.file_unreadable", revision=revision)
        return render(request, "orders/file_unreadable.html", {"case": case}, status=503)
    note_refusal(order, "case.file_missing", revision=revision)
    return render(request, "orders/file_missing.html", {"case": case}, status=503)


@require_POST
@member
@unhurried
def download_many(request: LabRequest) -> HttpResponseBase:
    """Several cases in one zip of zips; a case whose files are not here is left out, and said."""
    wanted = _ids(request.POST.getlist("order"))
    cases, not_sound = _with_files(request, wanted[:AT_ONCE])
    left_out = len(wanted) - len(cases) - not_sound.total()
    for error, count in not_sound.items():
        messages.warning(request, f"{_so_many(count)} not in the download: {NOT_SOUND[error]}")
    if not cases and (left_out or not not_sound):
        messages.warning(request, "None of the selected cases has its files here yet.")
    elif left_out:
        messages.warning(request, f"{_so_many(left_out)} not in the download: no files are here yet.")
    if not cases:
        return redirect("inbox")
    alone = len(cases) == 1
    for order, revision in cases:
        what = f"zip of scan {revision.number}" + ("" if alone else ", with others")
        services.downloaded(order=order, user=request.user, what=what, code="zip", revision=revision)
    return delivery.proved_zip(*cases[0]) if alone else delivery.zip_of_zips(cases)


def _so_many(count: int) -> str:
    return "1 selected case is" if count == 1 else f"{count} selected cases are"


def _ids(texts: Sequence[str]) -> list[UUID]:
    """The ids that are ids, each once, in the order in which they were selected."""
    ids: dict[UUID, None] = {}
    for text in texts:
        with suppress(ValueError):
            ids[UUID(text)] = None
    return list(ids)


def _with_files(
    request: LabRequest, ids: list[UUID]
) -> tuple[list[tuple[Order, Revision]], Counter[type[FileMissing]]]:
    """Each of the lab's own cases among them, with its latest revision whose zip is in the store and sound; and how
    many should be here but can't be handed out, by what is wrong."""
    orders = Order.objects.of(request.lab).in_bulk(ids)
    latest: dict[UUID, Revision] = {}
    stored = Revision.objects.of(request.lab).filter(order__in=orders, state__in=HAS_FILES).order_by("number")
    for revision in stored.select_related("order"):
        latest[revision.order_id] = revision
    found, not_sound = [], Counter[type[FileMissing]]()
    for order_id in ids:
        if order_id in latest:
            try:
                must_be_sound(latest[order_id])
                found.append((orders[order_id], latest[order_id]))
            except FileMissing as error:
                not_sound[type(error)] += 1
    return found, not_sound


@require_safe
@member
def preview(request: LabRequest, order_id: UUID, file_id: UUID) -> HttpResponseBase:
    """The reduced mesh for the 3D view (binary PLY, millimetres)."""
    files = ScanFile.objects.of(request.lab).select_related("revision__order")
    found = get_object_or_404(files, pk=file_id, revision__order_id=order_id)
    note_once(found.revision.order, "case.scan_viewed", number=found.revision.number, within=IN_THE_CASE)
    return delivery.derived(request, found.preview if found.role != "thumbnail" else "", "application/octet-stream")


@require_safe
@member
def picture(request: LabRequest, order_id: UUID, file_id: UUID) -> HttpResponseBase:
    """A gallery picture, decoded and encoded anew by us."""
    pictures = ScanFile.objects.of(request.lab).select_related("revision__order").filter(role="thumbnail")
    found = get_object_or_404(pictures, pk=file_id, revision__order_id=order_id)
    note_once(found.revision.order, "case.pictures_viewed", number=found.revision.number, within=IN_THE_CASE)
    return delivery.derived(request, found.preview, "image/jpeg")


@require_safe
@member
def thumbnail(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """The small picture of the inbox."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    note_once(order, "case.thumbnail_viewed", number=order.latest_number, within=IN_A_LIST)
    return delivery.derived(request, order.thumbnail, "image/jpeg")
