"""A connection that was made again is compared with Align at once: scans may have come and gone while it stood still."""

from django.db import migrations

from labportal.labs.rls import Resolver

# As in 0005, with `reconnected_at`: from that moment on a run counts only if it began later. One that is under way, and
# began before, is let end.
DUE = """
SELECT lab_id, pairing_id FROM (
  SELECT p.lab_id, p.id AS pairing_id, row_number() OVER (PARTITION BY p.lab_id ORDER BY p.id) AS turn
    FROM pairing_pairing p
   WHERE p.state = 'active' AND (p.paused_until IS NULL OR p.paused_until <= now())
     AND (p.paired_at < now() - interval '1 day' OR p.reconnected_at IS NOT NULL)
     AND NOT EXISTS (
       SELECT 1 FROM intake_reconciliation r WHERE r.lab_id = p.lab_id AND r.pairing_id = p.id
          AND r.started_at > now() - CASE WHEN r.ended_at IS NULL THEN interval '15 minutes'
                                          WHEN r.reason <> '' THEN interval '1 hour' ELSE interval '1 day' END
          AND (r.ended_at IS NULL OR p.reconnected_at IS NULL OR r.started_at >= p.reconnected_at))
) turns ORDER BY turn LIMIT $1
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0010_keep_push"), ("pairing", "0006_reconnected_at")]

    operations = [
        migrations.RunSQL("DROP FUNCTION resolve.due_reconciliations(int)", migrations.RunSQL.noop),
        Resolver(
            "due_reconciliations(int)",
            returns="lab_id uuid, pairing_id uuid",
            query=DUE,
            columns={
                "intake_reconciliation": "lab_id, pairing_id, started_at, ended_at, reason",
                "pairing_pairing": "lab_id, id, state, paused_until, paired_at, reconnected_at",
            },
        ),
    ]
