"""The shapes of the answers, for the OpenAPI document. The answers themselves are built in order_json.py."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, BeforeValidator, Field

ZIP_URL = "https://portal.example/api/v1/orders/0b8f7a52-8d7c-4a57-9d53-6a6f3a1f1c11/revisions/1/zip"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _plus_again(value: Any) -> Any:
    """A plus sign that was not escaped arrives as a space: 2026-11-20T08:00:00 01:00."""
    return re.sub(r" (\d\d:?\d\d)$", r"+\1", value) if isinstance(value, str) else value


class OrdersQuery(Schema):
    """What the address of the list may ask for."""

    cursor: str = Field("", max_length=200, description="`cursor` or `next` of an earlier answer")
    limit: int = Field(100, ge=1, le=500)
    updated_since: Annotated[AwareDatetime, BeforeValidator(_plus_again)] | None = Field(
        None,
        description="ISO 8601 with a zone; only orders that changed at or after it",
        json_schema_extra={"example": "2026-11-20T08:00:00Z"},
    )
    status: str = Field("", max_length=120, pattern="^[^\x00]*$", description="Only orders with this status at Align")


class Problem(Schema):
    """An error in words (RFC 9457); `code` is stable, `detail` is for people."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    code: str = Field(examples=["not_found"])
    detail: str = Field(examples=["There is no such order or file here."])


class Trouble(Schema):
    """Why something is not as it should be."""

    code: str = Field(examples=["download_failed"])
    text: str


class Patient(Schema):
    first: str = Field(examples=["Ingrid"])
    last: str = Field(examples=["Sørensen"])
    chart_number: str = Field(examples=["P-104/26"])


class Doctor(Schema):
    name: str = Field(examples=["Dr. Petra Zahn"])
    license: str


class Practice(Schema):
    name: str = Field(examples=["Praxis am Markt"])
    address: str


class ScanFile(Schema):
    """One file of a revision's zip. `box_mm` is the size of a mesh in x, y and z."""

    id: UUID
    name: str = Field(examples=["upper.ply"], description="A label as it came. Never use it as a path unchecked.")
    role: str = Field(
        examples=["upper"], description="upper, lower, both, pre_treatment, margin, metadata, rx, other …"
    )
    size: int = Field(description="Bytes", examples=[18_204_771])
    sha256: str = Field(examples=[SHA256])
    triangles: int | None = Field(examples=[364_094])
    box_mm: list[float] | None = Field(examples=[[62.1, 48.0, 19.7]])
    problem: Trouble | None
    content_url: str


class Revision(Schema):
    """One appearance of the order at Align. `content_url` (with size and sha256) is null until its zip is here."""

    number: int = Field(examples=[1])
    cause: str = Field(examples=["first"], description="first, rescan, modeling or update")
    status: str = Field(examples=["Ready for Download"], description="Align's status of the order then")
    state: str = Field(examples=["ready"], description="stored and ready have their zip here")
    problem: Trouble | None
    seen_at: datetime
    stored_at: datetime | None
    size: int | None = Field(description="Bytes of the zip", examples=[61_402_118])
    sha256: str | None = Field(examples=[SHA256])
    content_url: str | None = Field(examples=[ZIP_URL])


class RevisionWithFiles(Revision):
    """As in the list, with the files in the zip. They are known once `state` is ready."""

    files: list[ScanFile]


class Shade(Schema):
    system: str = Field(examples=["VITA Lumin"])
    incisal: str
    body: str = Field(examples=["A2"])
    gingival: str


class Restoration(Schema):
    """One tooth of the prescription; `tooth` is its ADA (universal) number as Align counts."""

    tooth: int | None = Field(examples=[3])
    tooth_fdi: int | None = Field(examples=[16])
    treatment: str = Field(examples=["Crown"])
    material: str = Field(examples=["Ceramic: Zirconia"])
    shade: Shade
    details: dict[str, object] = Field(description="What only the metadata file says: die, preparation …")


class _OrderFacts(Schema):
    id: UUID
    url: str
    order_id: str = Field(examples=["114582239"], description="Align's number of the order")
    rx_id: str
    order_code: str
    status: str = Field(examples=["Ready for Download"], description="Align's status, as it came")
    patient: Patient
    doctor: Doctor
    practice: Practice
    procedure: str = Field(examples=["Fixed Restorative"])
    case_type: str
    due_date: date | None
    scanned_at: datetime | None
    received_at: datetime = Field(description="When the latest revision was first seen here")
    updated_at: datetime
    workflow: str = Field(examples=["new"], description="What the lab's people say in the portal: new, in_work, done")
    waiting_since: datetime | None = Field(description="Returned to the doctor and not back yet, since then")
    erased_at: datetime | None = Field(description="Removed in the portal then: delete your copy; names are empty here")
    problem: Trouble | None = Field(
        description="Why a revision could not be fetched or is held back, the newest such; null when all is well"
    )
    latest_revision: int


class Order(_OrderFacts):
    """One case. The same order comes again whenever it changes; `id` never does."""

    revisions: list[Revision]


class WholeOrder(_OrderFacts):
    """One case with its prescription and its files."""

    revisions: list[RevisionWithFiles]
    notes: str
    teeth: list[int] = Field(description="ADA numbers", examples=[[3, 4]])
    restorations: list[Restoration]


class OrderPage(Schema):
    """`next` is null when there is no more now; `cursor` is the place to go on from the next time."""

    items: list[Order]
    next: str | None
    cursor: str | None
