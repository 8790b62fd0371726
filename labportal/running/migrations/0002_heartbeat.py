"""Signs of life of the background work: a global table of two rows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("running", "0001_safe_mode")]

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                ("name", models.CharField(max_length=20, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
