"""Hashes of the notification addresses that a Pair without an answer told to Align."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("pairing", "0006_reconnected_at")]

    operations = [
        migrations.AddField(
            model_name="pairing",
            name="told_callback_hashes",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), blank=True, default=list, size=None
            ),
        ),
        migrations.AddIndex(
            model_name="pairing",
            index=django.contrib.postgres.indexes.GinIndex(
                fields=["told_callback_hashes"], name="pairing_told_callbacks"
            ),
        ),
    ]
