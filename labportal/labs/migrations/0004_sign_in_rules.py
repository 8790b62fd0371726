"""How a lab's people come in: second step, the lab's own sign-in, time-outs."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labs", "0003_membership_pairings")]

    operations = [
        migrations.AddField(
            "lab",
            "idle_minutes",
            models.PositiveSmallIntegerField("sign out after minutes without use", null=True, blank=True),
        ),
        migrations.AddField("lab", "mfa_required", models.BooleanField("second step required", default=False)),
        migrations.AddField(
            "lab", "session_hours", models.PositiveSmallIntegerField("sign out after hours", null=True, blank=True)
        ),
        migrations.AddField(
            "lab",
            "sso_counts_as_mfa",
            models.BooleanField("the lab's own sign-in counts as a second step", default=True),
        ),
        migrations.AddField("lab", "sso_required", models.BooleanField("only by the lab's own sign-in", default=False)),
    ]
