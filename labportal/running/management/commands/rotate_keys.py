"""Seal every stored secret with the newest key of TOKEN_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from labportal.audit.services import record
from labportal.rotation import rotate_all


class Command(BaseCommand):
    help = (
        "Put a new key first in TOKEN_KEYS (id:key,…) and restart; run this; then the old key may go. "
        "Safe to repeat and while the portal runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rotated = rotate_all()
        record("secrets.rotated", lab_id=None, sealed=rotated.done, broken=rotated.broken, busy=rotated.busy)
        self.stdout.write(
            f"{rotated.done} sealed with the newest key; {rotated.broken} could not be opened and were left alone."
        )
        if rotated.busy:
            raise CommandError(f"{rotated.busy} stayed in use all the time. Run this again before the old key goes.")
