"""Row-level security on invitations: a lab's own, and before a lab is known the one whose token was shown."""

from django.db import migrations

from labportal.labs.rls import SHOWN_INVITATION, ProtectTable


class Migration(migrations.Migration):
    dependencies = [("people", "0001_records"), ("labs", "0005_suspended_and_last_seen")]

    operations = [ProtectTable("people_invitation", readable=f"token_hash = {SHOWN_INVITATION}")]
