"""Row-level security on the keys, and the one question that is asked before a lab is known: whose live key is this?"""

from django.db import migrations

from labportal.labs.rls import ProtectTable, Resolver

LIVE = """
SELECT k.lab_id, k.id FROM lms_apikey k
 WHERE k.key_hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
"""


class Migration(migrations.Migration):
    dependencies = [("lms", "0001_records"), ("labs", "0002_walls")]

    operations = [
        ProtectTable("lms_apikey"),
        Resolver(
            "api_key(text)",
            returns="lab_id uuid, key_id uuid",
            query=LIVE,
            columns={"lms_apikey": "lab_id, id, key_hash, revoked_at, expires_at"},
        ),
    ]
