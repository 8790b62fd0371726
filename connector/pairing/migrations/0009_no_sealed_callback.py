"""The secret of a notification address is kept as a hash alone. Hashes that are there stay valid."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("pairing", "0008_told_callbacks_resolve")]

    operations = [migrations.RemoveField(model_name="pairing", name="sealed_callback")]
