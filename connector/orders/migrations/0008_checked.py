"""When a stored zip was last seen to be sound, and the hashes of its pieces (docs/decisions/0029)."""

from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0007_problem_of_any_scan"),
    ]

    operations = [
        migrations.AddField(
            model_name="revision",
            name="checked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="the stored zip was last hashed and sound"),
        ),
        migrations.AddField(
            model_name="revision",
            name="pieces",
            field=models.BinaryField(
                default=b"", verbose_name="SHA-256 of each 4 MiB of the zip, once it was seen to be sound"
            ),
        ),
        migrations.AddIndex(
            model_name="revision",
            index=models.Index(
                Coalesce("checked_at", "stored_at", "seen_at"),
                condition=models.Q(("state__in", ["stored", "ready"])),
                name="orders_revision_last_sound",
            ),
        ),
    ]
