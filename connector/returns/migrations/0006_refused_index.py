"""Refused returns are counted on every page, for the menu."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("returns", "0005_dismissed")]

    operations = [
        migrations.AddIndex(
            model_name="return",
            index=models.Index(
                condition=models.Q(("dismissed_at", None), ("state", "refused")),
                fields=["lab", "order"],
                name="returns_refused",
            ),
        ),
    ]
