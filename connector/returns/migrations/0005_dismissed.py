"""A person has looked at a refused return."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("returns", "0004_own_failures")]

    operations = [
        migrations.AddField(
            model_name="return",
            name="dismissed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="taken off the list of refused ones"),
        ),
    ]
