"""Handing out files: the zip as it came, one member of it, several cases in one zip, previews and pictures.

The access check comes first and reads all it needs; the body that streams afterwards touches no database.
"""

import re
from collections.abc import Iterator
from typing import IO, Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST
from zipstream import ZipStream

from connector.orders import services, store
from connector.orders.models import HAS_FILES, Order, Revision, ScanFile
from connector.scans import open_member
from labportal.labs.access import LabRequest, member

AT_ONCE = 100
CHUNK = 1 << 18


def zip_name(order: Order, revision: Revision) -> str:
    """The download's file name: no patient's name in it, since file names end up in mails and on shared disks."""
    number = f"_r{revision.number}" if revision.number > 1 else ""
    return f"iTero_{re.sub(r'[^A-Za-z0-9_-]', '_', order.order_id)}{number}.zip"


def attachment(response: HttpResponseBase) -> HttpResponseBase:
    """Foreign content must never run as ours: attachment, nosniff, sandbox, no-store."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "no-store"
    return response


def stored_zip(order: Order, revision: Revision) -> FileResponse:
    """The vendor's zip, byte for byte."""
    response = FileResponse(
        store.open_stored(revision.archive),
        as_attachment=True,
        filename=zip_name(order, revision),
        content_type="application/zip",
    )
    response.headers["ETag"] = f'"{revision.sha256}"'
    attachment(response)
    return response


def stored_member(file: ScanFile) -> StreamingHttpResponse:
    """One member, streamed out of its zip."""
    path = store.local_path(file.revision.archive)
    response = StreamingHttpResponse(
        _member_body(file.revision.archive, path, file.member), content_type="application/octet-stream"
    )
    response.headers["Content-Length"] = str(file.size)
    response.headers["ETag"] = f'"{file.sha256}"'
    label = re.sub(r"[^\w.#() -]", "_", file.name.rsplit("/", 1)[-1])[-150:] or "file"
    ascii_label = label.encode("ascii", "replace").decode().replace("?", "_")
    response.headers["Content-Disposition"] = f'attachment; filename="{ascii_label}"'
    attachment(response)
    return response


def _member_body(archive: str, path: Any, member_index: int) -> Iterator[bytes]:
    if path is None:
        with store.as_local_file(archive) as copy, open_member(copy, member_index) as stream:
            yield from _chunks(stream)
        return
    with open_member(path, member_index) as stream:
        yield from _chunks(stream)


def _chunks(stream: IO[bytes] | Any) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


@require_GET
@member
def revision_zip(request: LabRequest, order_id: UUID, number: int) -> HttpResponseBase:
    """The whole zip of one revision."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    revisions = Revision.objects.of(request.lab).filter(order=order, state__in=HAS_FILES)
    revision = get_object_or_404(revisions, number=number)
    services.downloaded(order=order, user=request.user, what=f"zip of scan {number}", revision=revision)
    return stored_zip(order, revision)


@require_GET
@member
def file(request: LabRequest, order_id: UUID, file_id: UUID) -> HttpResponseBase:
    """One file of a case."""
    files = ScanFile.objects.of(request.lab).select_related("revision", "revision__order")
    found = get_object_or_404(files, pk=file_id, revision__order_id=order_id)
    services.downloaded(
        order=found.revision.order, user=request.user, what=f"one file ({found.role})", revision=found.revision
    )
    return stored_member(found)


@require_POST
@member
def download_many(request: LabRequest) -> HttpResponseBase:
    """Several cases in one zip of zips; a case whose files are not here yet is left out, and said."""
    ids = {value for value in request.POST.getlist("order") if re.fullmatch(r"[0-9a-f-]{36}", value)}
    orders = {order.pk: order for order in Order.objects.of(request.lab).filter(pk__in=list(ids)[:AT_ONCE])}
    revisions: dict[UUID, Revision] = {}
    for revision in Revision.objects.of(request.lab).filter(order__in=orders, state__in=HAS_FILES).order_by("number"):
        revisions[revision.order_id] = revision
    if not revisions:
        messages.warning(request, "None of the selected cases has its files here yet.")
        return redirect("inbox")
    for order_id, revision in revisions.items():
        services.downloaded(
            order=orders[order_id],
            user=request.user,
            what=f"zip of scan {revision.number}, with others",
            revision=revision,
        )
    if len(revisions) == 1:
        ((order_id, revision),) = revisions.items()
        return stored_zip(orders[order_id], revision)
    return _zip_of_zips([(zip_name(orders[pk], revision), revision) for pk, revision in revisions.items()])


def _zip_of_zips(named: list[tuple[str, Revision]]) -> HttpResponseBase:
    stream = ZipStream(sized=True)
    for name, revision in named:
        path = store.local_path(revision.archive)
        if path is not None:
            stream.add_path(path, arcname=name)
        else:
            stream.add(_stored_chunks(revision.archive), arcname=name, size=revision.size)
    response = StreamingHttpResponse(stream, content_type="application/zip")
    response.headers["Content-Length"] = str(len(stream))
    response.headers["Content-Disposition"] = 'attachment; filename="iTero_cases.zip"'
    return attachment(response)


def _stored_chunks(archive: str) -> Iterator[bytes]:
    with store.open_stored(archive) as stream:
        yield from _chunks(stream)


def _derived(name: str, kind: str) -> HttpResponseBase:
    """A preview or picture that we made ourselves; shown inside our pages, so no attachment."""
    if not name or not store.scans().exists(name):
        return HttpResponse(status=404)
    response = FileResponse(store.open_stored(name), content_type=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response


@require_GET
@member
def preview(request: LabRequest, order_id: UUID, file_id: UUID) -> HttpResponseBase:
    """The reduced mesh for the 3D view (binary PLY, millimetres)."""
    found = get_object_or_404(ScanFile.objects.of(request.lab), pk=file_id, revision__order_id=order_id)
    return _derived(found.preview if found.role != "thumbnail" else "", "application/octet-stream")


@require_GET
@member
def picture(request: LabRequest, order_id: UUID, file_id: UUID) -> HttpResponseBase:
    """A gallery picture, decoded and encoded anew by us."""
    found = get_object_or_404(
        ScanFile.objects.of(request.lab), pk=file_id, revision__order_id=order_id, role="thumbnail"
    )
    return _derived(found.preview, "image/jpeg")


@require_GET
@member
def thumbnail(request: LabRequest, order_id: UUID) -> HttpResponseBase:
    """The small picture of the inbox."""
    order = get_object_or_404(Order.objects.of(request.lab), pk=order_id)
    return _derived(order.thumbnail, "image/jpeg")
