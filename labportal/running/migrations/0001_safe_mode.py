"""The marker of a restored database. Web and worker read it; the operator's role alone takes it away."""

from django.db import migrations, models

from labportal.labs.rls import role


class Migration(migrations.Migration):
    dependencies = [("labs", "0001_records")]

    operations = [
        migrations.CreateModel(
            name="SafeMode",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("since", models.DateTimeField()),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="running_safemode_one_row")],
            },
        ),
        migrations.RunSQL(
            f"REVOKE INSERT, UPDATE, DELETE ON running_safemode FROM {role('app')}", migrations.RunSQL.noop
        ),
    ]
