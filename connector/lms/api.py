"""The REST export, version 1: a lab's management system takes its orders and their files.

Rhythm: the key is recognised and names its lab → the lab's rows or 404 → the answer. A body that streams afterwards
touches no database.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from ninja import NinjaAPI, Query

from connector.lms import schemas
from connector.lms.authentication import ApiKeyBearer, FileThrottle, KeyRequest, KeyThrottle
from connector.lms.cursor import CursorError, Position
from connector.lms.listing import page_of_orders
from connector.lms.models import READ_FILES, READ_ORDERS
from connector.lms.openapi import binary, published
from connector.lms.order_json import whole_order
from connector.lms.problems import ProblemError, answer_in_problems, not_found
from connector.orders.delivery import stored_member, stored_zip
from connector.orders.history import record
from connector.orders.models import HAS_FILES, Order, Revision, ScanFile, TimelineEvent
from connector.orders.trail import note_taken
from labportal.audit.services import record as audit

FILES_ARE_ONE_EXPORT = timedelta(hours=1)
ERRORS = {401: schemas.Problem, 403: schemas.Problem, 429: schemas.Problem}
ERRORS_OF_ONE = ERRORS | {404: schemas.Problem}

api = NinjaAPI(
    title="Lab portal: orders for a lab's own system",
    version="1",
    description="Read-only. Orders come oldest change first; keep `cursor` and go on from there.",
    urls_namespace="lms",
    docs_url=None,  # its page would load scripts from elsewhere
    openapi_url=None,  # served below, with problem+json in it
    auth=ApiKeyBearer(READ_ORDERS),
    throttle=KeyThrottle(),
)
answer_in_problems(api)


@api.get(
    "orders", url_name="orders", operation_id="listOrders", summary="Orders that changed, oldest change first",
    response={200: schemas.OrderPage, 400: schemas.Problem, 422: schemas.Problem, **ERRORS},
)  # fmt: skip
def orders(request: KeyRequest, asked: Query[schemas.OrdersQuery]) -> HttpResponse:
    """All orders of the lab from the beginning, or what changed after `cursor`. An order that changes comes again."""
    page = page_of_orders(request.auth.lab_id, asked, _position(asked.cursor))
    if page["items"]:  # a system that asks each minute and gets nothing has seen nothing
        audit("export.listed", lab_id=request.auth.lab_id, count=len(page["items"]))
    return _json(page)


@api.get(
    "orders/{order_id}", url_name="order", operation_id="getOrder",
    summary="One order, with prescription and files",
    response={200: schemas.WholeOrder, **ERRORS_OF_ONE},
)  # fmt: skip
def order(request: KeyRequest, order_id: UUID) -> HttpResponse:
    """The order as it stands now."""
    found = whole_order(request.auth.lab_id, order_id)
    if found is None:
        raise not_found()
    audit("export.order_read", lab_id=request.auth.lab_id, target=Order(pk=order_id), order=found["order_id"])
    return _json(found)


@api.get(
    "orders/{order_id}/revisions/{number}/zip", url_name="zip", operation_id="getZip", auth=ApiKeyBearer(READ_FILES),
    throttle=FileThrottle(),
    summary="The zip of a revision, byte for byte as Align gave it",
    response={200: None, 206: None, 416: schemas.Problem, 503: schemas.Problem, **ERRORS_OF_ONE},
    openapi_extra=binary("application/zip"),
)  # fmt: skip
def revision_zip(request: KeyRequest, order_id: UUID, number: int) -> HttpResponseBase:
    """A broken download can go on: send Range, and the ETag as If-Range."""
    key = request.auth
    revisions = Revision.objects.of(key.lab_id).select_related("order").filter(state__in=HAS_FILES)
    revision = revisions.filter(order_id=order_id, number=number).exclude(archive="").first()
    if revision is None:
        raise not_found()
    response = stored_zip(request, revision.order, revision)
    if note_taken(revision.order, "case.exported", revision=revision, part=response.part, file="zip"):
        record(revision.order, "exported", revision=revision, key=key.prefix, what="zip")
    return response


@api.get(
    "orders/{order_id}/files/{file_id}", url_name="file", operation_id="getFile", summary="One file of a zip",
    auth=ApiKeyBearer(READ_FILES), throttle=FileThrottle(),
    response={200: None, 206: None, 416: schemas.Problem, 503: schemas.Problem, **ERRORS_OF_ONE},
    openapi_extra=binary("application/octet-stream"),
)  # fmt: skip
def file(request: KeyRequest, order_id: UUID, file_id: UUID) -> HttpResponseBase:
    """The file as it lies in the zip."""
    key = request.auth
    files = ScanFile.objects.of(key.lab_id).select_related("revision__order")
    found = files.filter(pk=file_id, revision__order_id=order_id, revision__state__in=HAS_FILES).first()
    if found is None:
        raise not_found()
    response = stored_member(request, found)
    part = response.part
    _files_exported(request, found.revision)
    note_taken(
        found.revision.order, "case.exported", revision=found.revision, part=part, file=found.role, member=found.member
    )
    return response


@api.get("openapi.json", url_name="openapi", include_in_schema=False, auth=None, throttle=[])
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(orjson.dumps(published(api)), content_type="application/json")


def _position(cursor: str) -> Position | None:
    try:
        return Position.read(cursor) if cursor else None
    except CursorError as error:
        words = "This is no cursor that an earlier answer gave. Leave it out to begin with the oldest order."
        raise ProblemError(400, "bad_cursor", words) from error


def _files_exported(request: KeyRequest, revision: Revision) -> None:
    """One line on the timeline for a system that takes a revision's files one by one."""
    facts: dict[str, Any] = {"key": request.auth.prefix, "what": "files"}
    lines = TimelineEvent.objects.of(revision.lab_id).filter(order_id=revision.order_id, revision=revision)
    since = timezone.now() - FILES_ARE_ONE_EXPORT
    if not lines.filter(kind="exported", at__gt=since, facts__contains=facts).exists():
        record(revision.order, "exported", revision=revision, **facts)


def _json(body: dict[str, Any]) -> HttpResponse:
    """Times in UTC with a Z; patient data stays out of caches."""
    content = orjson.dumps(body, option=orjson.OPT_UTC_Z)
    return HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-store"})
