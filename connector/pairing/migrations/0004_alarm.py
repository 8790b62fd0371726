"""Alarms: one row each time that a pairing stops or falls silent."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("labs", "0003_membership_pairings"),
        ("pairing", "0003_narrow"),
    ]

    operations = [
        migrations.CreateModel(
            name="Alarm",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=12)),
                ("code", models.CharField(blank=True, max_length=60, verbose_name="reason code at its beginning")),
                ("since", models.DateTimeField()),
                ("raised_at", models.DateTimeField(auto_now_add=True)),
                ("next_due", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="mails tried")),
                ("mail_error", models.CharField(blank=True, max_length=60)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("told", models.PositiveIntegerField(default=0, verbose_name="owners told")),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "lab",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labs.lab"),
                ),
                (
                    "pairing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="alarms", to="pairing.pairing"
                    ),
                ),
            ],
            options={
                "ordering": ["-raised_at"],
                "indexes": [models.Index(fields=["lab", "pairing", "-raised_at"], name="pairing_alarm_latest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("lab", "pairing"), name="pairing_alarm_one_open"
                    )
                ],
            },
        ),
    ]
