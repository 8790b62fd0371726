"""A key's predecessor is of the same lab; and the keys that are there may go on downloading files.

The owner role is bound by the policies too (FORCE), so they are lifted for the one statement, in this transaction."""

from django.db import migrations

SAME_LAB = """
ALTER TABLE lms_apikey ADD CONSTRAINT lms_apikey_replaces_id_lab_fk FOREIGN KEY (lab_id, replaces_id)
    REFERENCES lms_apikey (lab_id, id) DEFERRABLE INITIALLY DEFERRED
"""
MAY_STILL_DOWNLOAD = """
ALTER TABLE lms_apikey NO FORCE ROW LEVEL SECURITY;
UPDATE lms_apikey SET scopes = scopes || '["files:read"]'::jsonb
    WHERE scopes @> '["orders:read"]'::jsonb AND NOT scopes @> '["files:read"]'::jsonb;
ALTER TABLE lms_apikey FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("lms", "0003_key_limits")]

    operations = [
        migrations.RunSQL(MAY_STILL_DOWNLOAD, migrations.RunSQL.noop),
        migrations.RunSQL(SAME_LAB, "ALTER TABLE lms_apikey DROP CONSTRAINT lms_apikey_replaces_id_lab_fk"),
    ]
