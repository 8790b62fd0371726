"""A lab's own OpenID provider."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = [("labs", "0004_sign_in_rules")]

    operations = [
        migrations.CreateModel(
            name="SignOn",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("issuer", models.CharField(max_length=300)),
                ("client_id", models.CharField(max_length=200)),
                ("sealed_secret", models.TextField()),
                (
                    "domains",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                (
                    "vouches_for_addresses",
                    models.BooleanField(default=False, verbose_name="its addresses count as confirmed"),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "lab",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labs.lab"),
                ),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("lab",), name="signin_one_per_lab")]},
        ),
    ]
