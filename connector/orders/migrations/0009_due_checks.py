"""Which stored zips were not hashed for so many days, oldest first: ids and sizes only."""

from django.db import migrations

from labportal.labs.rls import Resolver

DUE = """
SELECT lab_id, id, coalesce(size, 0) FROM orders_revision
 WHERE state IN ('stored', 'ready') AND archive <> ''
   AND coalesce(checked_at, stored_at, seen_at) < now() - $1 * interval '1 day'
   AND (lease_until IS NULL OR lease_until < now())
 ORDER BY coalesce(checked_at, stored_at, seen_at)
 LIMIT $2
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_checked")]

    operations = [
        Resolver(
            "due_checks(int, int)",
            returns="lab_id uuid, revision_id uuid, size bigint",
            query=DUE,
            columns={
                "orders_revision": "lab_id, id, state, archive, size, checked_at, stored_at, seen_at, lease_until",
            },
        ),
    ]
