"""Row-level security on policies and holds, and which labs have something to remove: ids only."""

from django.db import migrations

from labportal.labs.rls import NarrowToPairings, ProtectTable, Resolver

# The same rule as retention/rules.py: over its time, not in work, not with the doctor, not held. Or bytes that are left.
DUE = """
SELECT p.lab_id FROM retention_retentionpolicy p
 WHERE p.days IS NOT NULL AND p.starts_at <= now()
   AND NOT EXISTS (SELECT FROM retention_labhold h WHERE h.lab_id = p.lab_id AND h.released_at IS NULL)
   AND EXISTS (SELECT FROM orders_order o
                WHERE o.lab_id = p.lab_id AND o.erased_at IS NULL AND o.waiting_since IS NULL AND o.workflow <> 'in_work'
                  AND o.received_at < now() - make_interval(days => p.days)
                  AND NOT EXISTS (SELECT FROM retention_casehold h WHERE h.lab_id = o.lab_id AND h.order_id = o.id
                                     AND h.released_at IS NULL))
UNION
SELECT r.lab_id FROM orders_revision r WHERE r.state = 'erased' AND r.next_due <= now()
LIMIT $1
"""


class Migration(migrations.Migration):
    dependencies = [("retention", "0001_records"), ("orders", "0005_erased"), ("intake", "0002_walls")]

    operations = [
        ProtectTable("retention_retentionpolicy", {}),
        ProtectTable("retention_labhold", {}),
        ProtectTable("retention_casehold", {"order_id": "orders_order"}),
        NarrowToPairings("retention_casehold", "order_id", of="orders_order"),
        Resolver(
            "due_erasures(int)",
            returns="lab_id uuid",
            query=DUE,
            columns={
                "retention_retentionpolicy": "lab_id, days, starts_at",
                "retention_labhold": "lab_id, released_at",
                "retention_casehold": "lab_id, order_id, released_at",
                "orders_order": "lab_id, id, erased_at, waiting_since, workflow, received_at",
                "orders_revision": "lab_id, state, next_due",
            },
        ),
    ]
