"""Row-level security on pairings, and what must be known of them before a lab is."""

from django.db import migrations

from labportal.labs.rls import ProtectTable, Resolver

LINKED = "('connecting', 'active', 'needs_pairing', 'forbidden', 'unpairing')"


class Migration(migrations.Migration):
    dependencies = [("pairing", "0001_records"), ("labs", "0002_walls")]

    operations = [
        ProtectTable("pairing_pairing"),
        ProtectTable("pairing_connectattempt", {"reconnect_id": "pairing_pairing"}),
        Resolver(
            "account_link(text)",
            returns="lab_id uuid, pairing_id uuid, state text",
            query=f"SELECT p.lab_id, p.id, p.state::text FROM pairing_pairing p WHERE p.account_id = $1 AND p.state IN {LINKED}",  # noqa: S608 - the constant above
            columns={"pairing_pairing": "lab_id, id, state, account_id, callback_hash, next_due, paused_until"},
        ),
        Resolver(
            "callback(text)",
            returns="lab_id uuid, pairing_id uuid",
            query="SELECT p.lab_id, p.id FROM pairing_pairing p "
            "WHERE p.callback_hash = $1 AND p.callback_hash <> '' AND p.state <> 'unpaired'",
            columns={},
        ),
        Resolver(
            "active_pairings(int)",
            returns="lab_id uuid, pairing_id uuid",
            query="SELECT p.lab_id, p.id FROM pairing_pairing p WHERE p.state = 'active' ORDER BY random() LIMIT $1",
            columns={},
        ),
    ]
