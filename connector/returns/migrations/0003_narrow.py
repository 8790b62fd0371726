"""A person or key that may see only some pairings sees only the returns of their cases."""

from django.db import migrations

from labportal.labs.rls import NarrowToPairings


class Migration(migrations.Migration):
    dependencies = [("returns", "0002_walls"), ("orders", "0003_narrow")]

    operations = [
        NarrowToPairings("returns_return", "order_id", of="orders_order"),
    ]
