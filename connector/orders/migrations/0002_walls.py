"""Row-level security on the record."""

from django.db import migrations

from labportal.labs.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_records"), ("pairing", "0002_walls")]

    operations = [
        ProtectTable("orders_order", {"pairing_id": "pairing_pairing"}),
        ProtectTable("orders_revision", {"order_id": "orders_order"}),
        ProtectTable("orders_scanfile", {"revision_id": "orders_revision"}),
        ProtectTable("orders_restoration", {"order_id": "orders_order"}),
        ProtectTable("orders_timelineevent", {"order_id": "orders_order", "revision_id": "orders_revision"}),
        ProtectTable("orders_seenby", {"order_id": "orders_order"}),
        ProtectTable("orders_eventhead"),
        ProtectTable("orders_event", {"order_id": "orders_order", "revision_id": "orders_revision"}),
    ]
