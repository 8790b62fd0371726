"""A person or key that may see only some pairings sees only what came in by them."""

from django.db import migrations

from labportal.labs.rls import NarrowToPairings


class Migration(migrations.Migration):
    dependencies = [("intake", "0005_bookkeeping_walls"), ("orders", "0003_narrow")]

    operations = [
        NarrowToPairings("intake_notification", "pairing_id"),
        NarrowToPairings("intake_syncrun", "pairing_id"),
        NarrowToPairings("intake_reconciliation", "pairing_id"),
        NarrowToPairings("intake_dismissal", "revision_id", of="orders_revision"),
    ]
