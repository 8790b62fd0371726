"""A push finds its pairing by the address in force, and by those that Align may have been told meanwhile."""

from django.db import migrations

from labportal.labs.rls import Resolver


class Migration(migrations.Migration):
    dependencies = [("pairing", "0007_told_callback_hashes")]

    operations = [
        migrations.RunSQL("DROP FUNCTION resolve.callback(text)", migrations.RunSQL.noop),
        Resolver(
            "callback(text)",
            returns="lab_id uuid, pairing_id uuid",
            query="SELECT p.lab_id, p.id FROM pairing_pairing p WHERE p.state <> 'unpaired' AND $1 <> '' "
            "AND (p.callback_hash = $1 OR p.told_callback_hashes @> ARRAY[$1]::varchar[])",
            columns={"pairing_pairing": "lab_id, id, state, callback_hash, told_callback_hashes"},
        ),
    ]
