"""Row-level security on dismissals and reconciliations, and which pairings of all labs are to be compared: ids only."""

from django.db import migrations

from labportal.labs.rls import ProtectTable, Resolver

# Connected for a day, and not compared for a day; after a failure for an hour, after a killed worker for 15 minutes.
# The labs take turns, as in due_work.
DUE = """
SELECT lab_id, pairing_id FROM (
  SELECT p.lab_id, p.id AS pairing_id, row_number() OVER (PARTITION BY p.lab_id ORDER BY p.id) AS turn
    FROM pairing_pairing p
   WHERE p.state = 'active' AND (p.paused_until IS NULL OR p.paused_until <= now())
     AND p.paired_at < now() - interval '1 day'
     AND NOT EXISTS (
       SELECT 1 FROM intake_reconciliation r WHERE r.lab_id = p.lab_id AND r.pairing_id = p.id
          AND r.started_at > now() - CASE WHEN r.ended_at IS NULL THEN interval '15 minutes'
                                          WHEN r.reason <> '' THEN interval '1 hour' ELSE interval '1 day' END)
) turns ORDER BY turn LIMIT $1
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0004_bookkeeping")]

    operations = [
        ProtectTable("intake_dismissal", {"revision_id": "orders_revision"}),
        ProtectTable("intake_reconciliation", {"pairing_id": "pairing_pairing"}),
        Resolver(
            "due_reconciliations(int)",
            returns="lab_id uuid, pairing_id uuid",
            query=DUE,
            columns={
                "intake_reconciliation": "lab_id, pairing_id, started_at, ended_at, reason",
                "pairing_pairing": "paired_at",
            },
        ),
    ]
