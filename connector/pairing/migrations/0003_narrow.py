"""A person or key that may see only some pairings sees no other one."""

from django.db import migrations

from labportal.labs.rls import NarrowToPairings


class Migration(migrations.Migration):
    dependencies = [("pairing", "0002_walls"), ("labs", "0003_membership_pairings")]

    operations = [
        NarrowToPairings("pairing_pairing", "id"),
    ]
