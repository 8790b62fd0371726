"""Row-level security on intake, and the list of due work of all labs: ids only."""

from django.db import migrations

from labportal.labs.rls import ProtectTable, Resolver

# The labs take turns (row_number), so that none waits behind one with thousands of rows.
DUE = """
SELECT kind, lab_id, row_id FROM (
  SELECT kind, lab_id, row_id, row_number() OVER (PARTITION BY lab_id ORDER BY rank) AS turn FROM (
    SELECT 1 AS rank, CASE p.state WHEN 'unpairing' THEN 'unpair' WHEN 'connecting' THEN 'release' ELSE 'poll' END AS kind,
           p.lab_id, p.id AS row_id
      FROM pairing_pairing p
     WHERE p.next_due <= now() AND p.state IN ('active', 'forbidden', 'unpairing', 'connecting')
       AND (p.state <> 'active' OR p.paused_until IS NULL OR p.paused_until <= now())
    UNION ALL
    SELECT DISTINCT 2, 'look_up', n.lab_id, n.pairing_id
      FROM intake_notification n JOIN pairing_pairing p ON p.id = n.pairing_id AND p.state = 'active'
     WHERE n.state = 'queued' OR (n.state = 'taken' AND n.taken_at < now() - interval '10 minutes')
    UNION ALL
    SELECT DISTINCT 3, 'download', r.lab_id, o.pairing_id
      FROM orders_revision r JOIN orders_order o ON o.id = r.order_id
      JOIN pairing_pairing p ON p.id = o.pairing_id AND p.state = 'active'
     WHERE (r.state IN ('seen', 'retry') AND (r.next_due IS NULL OR r.next_due <= now()))
        OR (r.state = 'fetching' AND r.lease_until < now())
    UNION ALL
    SELECT 4, 'examine', r.lab_id, r.id FROM orders_revision r WHERE r.state = 'stored' AND r.next_due <= now()
  ) found
) turns ORDER BY turn LIMIT $1
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_records"), ("orders", "0002_walls")]

    operations = [
        ProtectTable("intake_notification", {"pairing_id": "pairing_pairing"}),
        ProtectTable("intake_syncrun", {"pairing_id": "pairing_pairing"}),
        Resolver(
            "due_work(int)",
            returns="kind text, lab_id uuid, row_id uuid",
            query=DUE,
            columns={
                "intake_notification": "lab_id, pairing_id, state, taken_at",
                "orders_revision": "lab_id, id, order_id, state, next_due, lease_until",
                "orders_order": "lab_id, id, pairing_id",
            },
        ),
    ]
