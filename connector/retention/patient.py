"""A patient's data: the cases found by name, chart number or order id; all of them in one zip; or removed."""

import json
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from zipstream import ZipStream

from connector.lms.order_json import whole_order
from connector.orders import delivery
from connector.orders.guard import must_be_sound
from connector.orders.history import in_words
from connector.orders.models import HAS_FILES, ErasedWhy, Order, Revision, TimelineEvent
from connector.retention.erasing import CannotErase, erase, erase_bytes
from connector.returns.models import Return
from labportal.audit import services as audit
from labportal.labs.models import Lab, User
from labportal.labs.tenancy import in_lab

SHOWN = 100
README = """The data that the dental lab's portal holds of the chosen cases.

A folder a case: case.json (names, prescription, files), history.json (what happened, returns to the doctor), and each
scan's zip as it came from the scanner's maker. Times are UTC.
"""


def cases_of(*, lab: Lab, q: str) -> QuerySet[Order]:
    """The lab's cases with every word in the patient's name, or whose chart number, order id or RxID it is."""
    orders = Order.objects.of(lab).select_related("pairing").order_by("patient_last", "patient_first", "-received_at")
    if not q:
        return orders.none()
    named = Q()
    for word in q.split()[:8]:
        named &= Q(patient_last__icontains=word) | Q(patient_first__icontains=word)
    return orders.filter(named | Q(chart_number__iexact=q) | Q(order_id__iexact=q) | Q(rx_id__iexact=q))[:SHOWN]


def chosen(*, lab: Lab, ids: Iterable[UUID]) -> list[Order]:
    """Those of the ids that are cases of this lab."""
    return list(Order.objects.of(lab).filter(pk__in=list(ids)[:SHOWN]).order_by("order_id", "pk"))


def export(*, lab: Lab, orders: Sequence[Order]) -> HttpResponseBase:
    """One zip of all that is held of these cases. Everything is read before the body begins; the zips stream from the
    store. Errors: FileMissing, when a stored zip is not in its place, or damaged."""
    stream = ZipStream(sized=True)
    stream.add(README.encode(), "README.txt")
    for place, order in enumerate(orders, start=1):
        audit.record("case.exported", lab_id=lab.pk, target=order)
        folder = f"case {place} - {delivery.member_label(order.order_id)}"
        stream.add(orjson.dumps(whole_order(lab.pk, order.pk), option=orjson.OPT_INDENT_2), f"{folder}/case.json")
        stream.add(json.dumps(_history(lab, order), indent=2, ensure_ascii=False).encode(), f"{folder}/history.json")
        for revision in Revision.objects.of(lab).filter(order=order, state__in=HAS_FILES).select_related("order"):
            must_be_sound(revision)
            delivery.add_zip(stream, revision, f"{folder}/scan {revision.number}.zip")
    response = StreamingHttpResponse(stream, content_type="application/zip")
    response.headers["Content-Length"] = str(len(stream))
    response.headers["Content-Disposition"] = 'attachment; filename="patient_data.zip"'
    return delivery.attachment(response)


def _history(lab: Lab, order: Order) -> dict[str, Any]:
    events = TimelineEvent.objects.of(lab).filter(order=order).select_related("by").order_by("at", "id")
    returns = Return.objects.of(lab).filter(order=order).order_by("created_at")
    return {
        "events": [
            {"at": event.at.isoformat(), "what": in_words(event), "who": event.by.display_name if event.by else ""}
            for event in events
        ],
        "returns": [
            {"at": one.created_at.isoformat(), "reason": one.reason, "comment": one.comment, "state": one.state}
            for one in returns
        ],
    }


def remove(*, lab: Lab, ids: Sequence[UUID], by: User | None) -> tuple[int, dict[str, int]]:
    """Remove these cases now, bytes and all: (how many, how many could not be and why). Commits case by case; what a
    crash leaves is removed by the sweep."""
    done, kept = 0, dict[str, int]()
    for pk in ids:
        try:
            done += erase(lab.pk, pk, why=ErasedWhy.REQUEST, by=by)
        except CannotErase as reason:
            kept[reason.code] = kept.get(reason.code, 0) + 1
    for pk in _erased_revisions(lab, ids):
        erase_bytes(lab.pk, pk)
    return done, kept


def _erased_revisions(lab: Lab, ids: Sequence[UUID]) -> list[UUID]:
    with in_lab(lab.pk):
        rows = Revision.objects.of(lab).filter(order_id__in=ids, next_due__isnull=False, state="erased")
        return list(rows.values_list("pk", flat=True))
