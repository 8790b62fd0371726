"""The audit's entries and heads; 0002 closes them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("labs", "0001_records")]  # the roles' rights on tables to come

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("hash", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("previous", models.CharField(max_length=64)),
                ("chain", models.UUIDField()),
                ("seq", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=12)),
                ("actor_id", models.UUIDField(null=True)),
                ("actor_code", models.CharField(blank=True, max_length=80)),
                ("action", models.CharField(max_length=60)),
                ("object_type", models.CharField(blank=True, max_length=60)),
                ("object_id", models.CharField(blank=True, max_length=80)),
                ("facts", models.TextField(default="{}")),
                ("ip", models.CharField(blank=True, max_length=45)),
            ],
            options={
                "verbose_name_plural": "entries",
                "ordering": ["chain", "-seq"],
                "indexes": [models.Index(fields=["chain", "object_id", "at"], name="audit_entry_object")],
                "constraints": [models.UniqueConstraint(fields=("chain", "seq"), name="audit_entry_place")],
            },
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("chain", models.UUIDField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("hash", models.CharField(max_length=64)),
            ],
        ),
    ]
