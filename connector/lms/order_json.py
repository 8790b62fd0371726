"""An order as the lab's own system gets it: rows of the record, renamed and nested, never objects of each row."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from connector.orders.case import explain
from connector.orders.models import HAS_FILES, Order, Restoration, Revision, ScanFile
from connector.orders.words import tooth_label
from labportal.labs.models import Lab

Json = dict[str, Any]

ORDER_FIELDS = (
    "id", "order_id", "rx_id", "order_code", "vendor_status", "patient_first", "patient_last", "chart_number", "doctor",
    "doctor_license", "practice", "practice_address", "procedure", "case_type", "due_date", "scanned_at", "received_at",
    "updated_at", "workflow", "waiting_since", "erased_at", "problem", "latest_number",
)  # fmt: skip
COPIED = (
    "id", "order_id", "rx_id", "order_code", "procedure", "case_type", "due_date", "scanned_at", "received_at",
    "updated_at", "workflow", "waiting_since", "erased_at",
)  # fmt: skip
REVISION_FIELDS = (
    "order_id", "number", "cause", "vendor_status", "state", "reason", "seen_at", "stored_at", "archive", "size",
    "sha256",
)  # fmt: skip
RESTORATION_FIELDS = (
    "tooth", "treatment", "material", "shade_system", "incisal", "body", "gingival", "details",
)  # fmt: skip
FILE_FIELDS = ("id", "revision__number", "name", "role", "size", "sha256", "triangles", "box_mm", "problem")


def absolute(name: str, *args: Any) -> str:
    """The whole address of one of this API's views."""
    return f"{settings.BASE_URL}{reverse(f'lms:{name}', args=args)}"


def order_json(row: Json, revisions: list[Json]) -> Json:
    """One order; `row` holds ORDER_FIELDS, `revisions` come from `revisions_of`."""
    return {
        **{field: row[field] for field in COPIED},
        "url": absolute("order", row["id"]),
        "status": row["vendor_status"],
        "patient": {
            "first": row["patient_first"],
            "last": row["patient_last"],
            "chart_number": row["chart_number"],
        },
        "doctor": {"name": row["doctor"], "license": row["doctor_license"]},
        "practice": {"name": row["practice"], "address": row["practice_address"]},
        "problem": _problem(row["problem"]),
        "latest_revision": row["latest_number"],
        "revisions": revisions,
    }


def revisions_of(lab_id: UUID, order_ids: list[UUID]) -> dict[UUID, list[Json]]:
    """The revisions of these orders, oldest first, in one query."""
    found: dict[UUID, list[Json]] = {}
    rows = Revision.objects.of(lab_id).filter(order_id__in=order_ids).order_by("order_id", "number")
    for row in rows.values(*REVISION_FIELDS):
        found.setdefault(row["order_id"], []).append(_revision(row))
    return found


def whole_order(lab_id: UUID, order_id: UUID) -> Json | None:
    """One order with its prescription and files; None when this lab has no such order. Four queries."""
    row = Order.with_erased.of(lab_id).filter(pk=order_id).values(*ORDER_FIELDS, "notes", "teeth").first()
    if row is None:
        return None
    revisions = revisions_of(lab_id, [order_id]).get(order_id, [])
    files = _files(lab_id, order_id)
    restorations = Restoration.objects.of(lab_id).filter(order_id=order_id).order_by("tooth", "id")
    return order_json(row, [revision | {"files": files.get(revision["number"], [])} for revision in revisions]) | {
        "notes": row["notes"],
        "teeth": row["teeth"],
        "restorations": [_restoration(item) for item in restorations.values(*RESTORATION_FIELDS)],
    }


def _revision(row: Json) -> Json:
    here = row["state"] in HAS_FILES and row["archive"] != ""
    return {
        "number": row["number"],
        "cause": row["cause"],
        "status": row["vendor_status"],
        "state": row["state"],
        "problem": _problem(row["reason"]),
        "seen_at": row["seen_at"],
        "stored_at": row["stored_at"],
        "size": row["size"] if here else None,
        "sha256": row["sha256"] if here else None,
        "content_url": absolute("zip", row["order_id"], row["number"]) if here else None,
    }


def _files(lab_id: UUID, order_id: UUID) -> dict[int, list[Json]]:
    found: dict[int, list[Json]] = {}
    # A join of its own names the lab on both tables.
    rows: Iterable[Json] = (
        ScanFile.objects.of(lab_id)
        .filter(revision__lab_id=lab_id, revision__order_id=order_id, revision__state__in=HAS_FILES)
        .order_by("revision__number", "member")
        .values(*FILE_FIELDS)
    )
    for row in rows:
        found.setdefault(row["revision__number"], []).append(
            {field: row[field] for field in ("id", "name", "role", "size", "sha256", "triangles", "box_mm")}
            | {"problem": _problem(row["problem"]), "content_url": absolute("file", order_id, row["id"])}
        )
    return found


def _restoration(row: Json) -> Json:
    fdi = tooth_label(row["tooth"], Lab.Notation.FDI)
    return {
        "tooth": row["tooth"],
        "tooth_fdi": int(fdi) if fdi and row["tooth"] in range(1, 33) else None,
        "treatment": row["treatment"],
        "material": row["material"],
        "shade": {field: row[field] for field in ("incisal", "body", "gingival")} | {"system": row["shade_system"]},
        "details": row["details"],
    }


def _problem(code: str) -> Json | None:
    return {"code": code, "text": explain(code)} if code else None
