"""Row-level security on returns, and the due ones of all labs: ids only."""

from django.db import migrations

from labportal.labs.rls import ProtectTable, Resolver


class Migration(migrations.Migration):
    dependencies = [("returns", "0001_records"), ("orders", "0002_walls")]

    operations = [
        ProtectTable("returns_return", {"order_id": "orders_order", "revision_id": "orders_revision"}),
        Resolver(
            "due_returns(int)",
            returns="lab_id uuid, return_id uuid",
            query="SELECT r.lab_id, r.id FROM returns_return r WHERE r.state = 'queued' AND r.next_due <= now() LIMIT $1",
            columns={"returns_return": "lab_id, id, state, next_due"},
        ),
    ]
