"""Failures that count against the row itself; those of an outage do not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("returns", "0003_narrow"),
    ]

    operations = [
        migrations.AddField(
            model_name="return",
            name="own_failures",
            field=models.PositiveIntegerField(default=0, verbose_name="failures that were not an outage's"),
        ),
    ]
