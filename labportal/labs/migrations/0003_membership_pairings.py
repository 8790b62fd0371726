"""A member may see all of the lab's pairings (NULL) or only some."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labs", "0002_walls")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="pairings",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.UUIDField(),
                blank=True,
                help_text="Empty: all connections of the lab.",
                null=True,
                size=None,
            ),
        ),
    ]
