"""Invented cases by the hundred thousand, made inside PostgreSQL out of one that Django made."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection, models
from django.utils import timezone

from connector.orders.models import Order, Revision, RevisionState
from labportal.labs.tenancy import in_lab

LAST = (
    "Hansen", "Larsen", "Müller", "Schmidt", "Nguyen", "Garcia", "Rossi", "Novak", "Kowalski", "Haddad", "Yilmaz",
    "Okafor", "Ivanova", "Silva", "Andersson", "Virtanen", "Papadopoulos", "O'Brien", "van Dijk", "Dubois",
)  # fmt: skip
FIRST = ("Ingrid", "Lars", "Petra", "Jonas", "Amira", "Mateo", "Chiara", "Jan", "Nour", "Elif", "Ada", "Olga")
# What differs from case to case, as SQL of its number n; letters behind the last name make it findable.
VARIED = {
    "id": "gen_random_uuid()",
    "order_id": "(1000000 + n)::text",
    "rx_id": "gen_random_uuid()::text",
    "patient_first": "(%(first)s::text[])[1 + (hashint4(n) & 1023) %% array_length(%(first)s::text[], 1)]",
    "patient_last": "(%(last)s::text[])[1 + (hashint4(n + 7) & 1023) %% array_length(%(last)s::text[], 1)] || ' ' "
    "|| translate(md5(n::text || %(salt)s), '0123456789', 'ghijklmnop')",
    "chart_number": "'C-' || n",
    "doctor": "'Dr. ' || (%(last)s::text[])[1 + n %% 17]",
    "practice": "'Praxis ' || n %% 41",
    "due_date": "CASE WHEN n %% 9 = 0 THEN NULL ELSE current_date + 14 - n / 60 END",
    "workflow": "CASE WHEN n <= 600 OR n %% 97 = 0 THEN (ARRAY['new', 'in_work'])[1 + n %% 2] ELSE 'done' END",
    "received_at": "now() - n * interval '7 minutes'",
}


def fill_lab(lab_id: UUID, pairing_id: UUID, count: int, *, salt: str = "") -> None:
    """`count` cases of one lab, each with a revision that is ready."""
    values: dict[str, Any] = {"count": count, "first": list(FIRST), "last": list(LAST), "salt": salt}
    with in_lab(lab_id), connection.cursor() as cursor:
        pattern = Order.objects.create(
            lab_id=lab_id, pairing_id=pairing_id, order_id="pattern", summary="Crown, Zirconia", teeth=[3], shade="A2",
            procedure="Fixed Restorative", vendor_status="Ready for Download", latest_number=1,
            received_at=timezone.now(),
        )  # fmt: skip
        revision = Revision.objects.create(
            lab_id=lab_id, order=pattern, number=1, version_key="k", cause="first", state=RevisionState.READY
        )
        numbered = "generate_series(1, %(count)s) n"
        cursor.execute(_copies(Order, VARIED, numbered), values | {"pattern": pattern.pk})
        others = "orders_order o WHERE o.lab_id = t.lab_id AND o.id <> t.order_id"
        cursor.execute(
            _copies(Revision, {"id": "gen_random_uuid()", "order_id": "o.id"}, others), {"pattern": revision.pk}
        )
        pattern.delete()


def _copies(model: type[models.Model], varied: dict[str, str], others: str) -> str:
    """Rows like the one whose id is `pattern`, one for each of `others`, but for the `varied` columns."""
    columns = [field.column for field in model._meta.concrete_fields if not field.generated]
    table, picked = model._meta.db_table, ", ".join(varied.get(column, f"t.{column}") for column in columns)
    source, _, condition = others.partition(" WHERE ")
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {picked} FROM {table} t, {source} "  # noqa: S608 - names from our models
        f"WHERE t.id = %(pattern)s AND {condition or 'true'}"
    )
