"""Row-level security on labs and memberships; before a lab is known a person sees their own memberships and labs."""

from django.db import migrations

from labportal.labs.rls import CURRENT_USER, ProtectTable


class Migration(migrations.Migration):
    dependencies = [("labs", "0001_records")]

    operations = [
        ProtectTable("labs_membership", readable=f"user_id = {CURRENT_USER}"),
        ProtectTable(
            "labs_lab",
            readable=f"EXISTS (SELECT FROM labs_membership m WHERE m.lab_id = labs_lab.id AND m.user_id = {CURRENT_USER})",
        ),
    ]
