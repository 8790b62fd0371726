"""Row-level security on the looks."""

from django.db import migrations

from labportal.labs.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [("break_glass", "0001_records")]

    operations = [ProtectTable("break_glass_look")]
