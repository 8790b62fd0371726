"""A person or key that may see only some pairings sees only their cases."""

from django.db import migrations

from labportal.labs.rls import NarrowToPairings


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_walls"), ("pairing", "0003_narrow")]

    operations = [
        NarrowToPairings("orders_order", "pairing_id"),
        NarrowToPairings("orders_revision", "order_id", of="orders_order"),
        NarrowToPairings("orders_scanfile", "revision_id", of="orders_revision"),
        NarrowToPairings("orders_restoration", "order_id", of="orders_order"),
        NarrowToPairings("orders_timelineevent", "order_id", of="orders_order"),
        NarrowToPairings("orders_seenby", "order_id", of="orders_order"),
        NarrowToPairings("orders_event", "order_id", of="orders_order"),
    ]
