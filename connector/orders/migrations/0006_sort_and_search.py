"""Columns and indexes for the inbox: sorts by due date and patient, search, and the counts of the lanes."""

import datetime

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models

import connector.orders.keys


class Migration(migrations.Migration):
    dependencies = [
        ("labs", "0005_suspended_and_last_seen"),
        ("orders", "0005_erased"),
        ("pairing", "0005_alarm_walls"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="due_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Coalesce(
                    "due_date", models.Value(datetime.date(9999, 12, 31), models.DateField())
                ),
                output_field=models.DateField(),
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="patient_key",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Left(
                    connector.orders.keys.WithoutAccents(
                        django.db.models.functions.text.Lower(
                            django.db.models.functions.text.Concat("patient_last", models.Value(", "), "patient_first"),
                            output_field=models.CharField(),
                        )
                    ),
                    300,
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddField(
            model_name="order",
            name="search_text",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.text.Upper(
                    django.db.models.functions.text.Concat(
                        "patient_last",
                        models.Value("\n"),
                        "patient_first",
                        models.Value("\n"),
                        "order_id",
                        models.Value("\n"),
                        "doctor",
                        models.Value("\n"),
                        "practice",
                        models.Value("\n"),
                        "chart_number",
                        models.Value("\n"),
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["lab", "due_key", "id"], name="orders_due"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(fields=["lab", "patient_key", "id"], name="orders_patient"),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("workflow", "done"), _negated=True),
                fields=["lab", "due_key", "id"],
                name="orders_open_due",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("workflow", "done"), _negated=True),
                fields=["lab", "patient_key", "id"],
                name="orders_open_patient",
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(
                    models.Q(("workflow", "done"), _negated=True),
                    ("waiting_since__isnull", False),
                    models.Q(("problem", ""), _negated=True),
                    _connector="OR",
                ),
                fields=["lab", "workflow", "waiting_since", "due_date", "problem", "erased_at"],
                name="orders_counted",
            ),
        ),
    ]
