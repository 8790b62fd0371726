"""A member may be suspended; and when they last used the portal."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labs", "0004_sign_in_rules")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="suspended_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="sees nothing since"),
        ),
        migrations.AddField(
            model_name="membership",
            name="last_seen_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="last seen, to five minutes"),
        ),
    ]
