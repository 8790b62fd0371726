"""Row-level security on alarms, and which pairings of all labs need a look: ids only."""

from django.db import migrations

from labportal.labs.rls import NarrowToPairings, ProtectTable, Resolver

# The rule stands in connector/pairing/alarms.py: _wanted; here it finds the candidates. `since` is when the trouble
# began: an open alarm of another moment is over. The labs take turns, as in due_work.
DUE = """
SELECT lab_id, pairing_id FROM (
  SELECT p.lab_id, p.id AS pairing_id, row_number() OVER (PARTITION BY p.lab_id ORDER BY p.id) AS turn
    FROM pairing_pairing p
    LEFT JOIN pairing_alarm a ON a.lab_id = p.lab_id AND a.pairing_id = p.id AND a.ended_at IS NULL
   CROSS JOIN LATERAL (
      SELECT CASE WHEN p.state = 'needs_pairing'
                  THEN coalesce(p.reason_at, greatest(p.succeeded_at, p.paired_at), 'epoch'::timestamptz)
                  WHEN p.state IN ('active', 'forbidden')
                   AND greatest(p.succeeded_at, p.paired_at)
                     < now() - greatest($1, 3 * p.poll_seconds + 120) * interval '1 second'
                  THEN greatest(p.succeeded_at, p.paired_at) END AS since) wanted
   WHERE wanted.since IS DISTINCT FROM a.since OR (a.told_at IS NULL AND a.next_due <= now())
) turns ORDER BY turn LIMIT $2
"""


class Migration(migrations.Migration):
    dependencies = [("pairing", "0004_alarm")]

    operations = [
        ProtectTable("pairing_alarm", {"pairing_id": "pairing_pairing"}),
        NarrowToPairings("pairing_alarm", "pairing_id"),
        Resolver(
            "due_alarms(int, int)",
            returns="lab_id uuid, pairing_id uuid",
            query=DUE,
            columns={
                "pairing_alarm": "lab_id, pairing_id, since, next_due, told_at, ended_at",
                "pairing_pairing": "lab_id, id, state, reason_at, succeeded_at, paired_at, poll_seconds",
            },
        ),
    ]
