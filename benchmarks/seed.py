"""Invented cases by the hundred thousand, made inside PostgreSQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

LAST = (
    "Hansen", "Larsen", "Müller", "Schmidt", "Nguyen", "Garcia", "Rossi", "Novak", "Kowalski", "Haddad", "Yilmaz",
    "Okafor", "Ivanova", "Silva", "Andersson", "Virtanen", "Papadopoulos", "O'Brien", "van Dijk", "Dubois",
)  # fmt: skip
FIRST = ("Ingrid", "Lars", "Petra", "Jonas", "Amira", "Mateo", "Chiara", "Jan", "Nour", "Elif", "Ada", "Olga")
ORDERS = """
INSERT INTO orders_order (
  id, lab_id, pairing_id, order_id, rx_id, order_code, patient_first, patient_last, chart_number, doctor,
  doctor_license, practice, practice_address, procedure, case_type, due_date, scanned_at, notes, summary, teeth, shade,
  vendor_status, vendor_updated, workflow, waiting_since, problem, latest_number, thumbnail, received_at, created_at,
  updated_at)
SELECT gen_random_uuid(), %(lab)s, %(pairing)s, (1000000 + n)::text, gen_random_uuid()::text, '',
  (%(first)s::text[])[1 + (hashint4(n) & 1023) %% array_length(%(first)s::text[], 1)],
  (%(last)s::text[])[1 + (hashint4(n + 7) & 1023) %% array_length(%(last)s::text[], 1)]
    || ' ' || md5(n::text || %(salt)s),
  'C-' || n, 'Dr. ' || (%(last)s::text[])[1 + n %% 17], '', 'Praxis ' || n %% 41, '', 'Fixed Restorative', 'Crown',
  CASE WHEN n %% 9 = 0 THEN NULL ELSE current_date - 400 + n %% 420 END, NULL, '', 'Crown, Zirconia', '[3]', 'A2',
  'Ready for Download', '', (ARRAY['new', 'in_work', 'done', 'done', 'done', 'done'])[1 + n %% 6], NULL, '', 1, '',
  now() - n * interval '7 minutes', now(), now()
FROM generate_series(1, %(count)s) n
"""
REVISIONS = """
INSERT INTO orders_revision (
  id, lab_id, order_id, number, version_key, cause, vendor_status, rx, state, wants, reason, attempts, archive, sha256,
  seen_at)
SELECT gen_random_uuid(), lab_id, id, 1, 'k', 'first', 'Ready for Download', '{}', 'ready', 'full', '', 1, '', '', now()
FROM orders_order WHERE lab_id = %(lab)s
"""


def fill_lab(lab_id: UUID, pairing_id: UUID, count: int, *, salt: str = "") -> None:
    """`count` cases of one lab, each with a revision that is ready."""
    from django.db import connection

    from labportal.labs.tenancy import in_lab

    values: dict[str, Any] = {
        "lab": lab_id,
        "pairing": pairing_id,
        "count": count,
        "first": list(FIRST),
        "last": list(LAST),
        "salt": salt,
    }
    with in_lab(lab_id), connection.cursor() as cursor:
        cursor.execute(ORDERS, values)
        cursor.execute(REVISIONS, values)
