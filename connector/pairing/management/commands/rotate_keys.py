"""Seal every stored secret with the newest key of TOKEN_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand

from connector.pairing.rotation import rotate_all


class Command(BaseCommand):
    help = (
        "Put a new key first in TOKEN_KEYS (id:key,…) and restart; run this; then the old key may go. "
        "Safe to repeat and while the portal runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        done, broken = rotate_all()
        self.stdout.write(f"{done} sealed with the newest key; {broken} could not be opened and were left alone.")
