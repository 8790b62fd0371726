"""The provider's own ids of a lab's people, behind the wall."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

from labportal.labs.rls import ProtectTable


class Migration(migrations.Migration):
    dependencies = [("labs", "0005_suspended_and_last_seen"), ("signin", "0003_seeds_of_a_person")]

    operations = [
        migrations.CreateModel(
            name="CompanyId",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "lab",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labs.lab"),
                ),
                (
                    "membership",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="labs.membership"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("lab", "subject"), name="signin_one_per_subject")]
            },
        ),
        migrations.AlterModelOptions(name="signon", options={"verbose_name": "company sign-in"}),
        ProtectTable("signin_companyid", {"membership_id": "labs_membership"}),
    ]
