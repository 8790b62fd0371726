"""Which labs have runs, notifications or alarms that are old enough to be cleared away: ids only."""

from django.db import migrations

from labportal.labs.rls import Resolver

OLD = """
SELECT lab_id FROM intake_syncrun WHERE ended_at < now() - $1 * interval '1 day'
UNION
SELECT lab_id FROM intake_notification
 WHERE state IN ('done', 'unknown') AND received_at < now() - $1 * interval '1 day'
UNION
SELECT lab_id FROM pairing_alarm WHERE ended_at < now() - $1 * interval '1 day'
LIMIT $2
"""


class Migration(migrations.Migration):
    dependencies = [("intake", "0008_removed"), ("pairing", "0005_alarm_walls")]

    operations = [
        Resolver(
            "labs_with_old_runs(int, int)",
            returns="lab_id uuid",
            query=OLD,
            columns={
                "intake_syncrun": "lab_id, ended_at",
                "intake_notification": "lab_id, state, received_at",
                "pairing_alarm": "lab_id, ended_at",
            },
        ),
    ]
