"""A pairing's notification address: its secret is told to Align by Pair and kept as a hash alone (decision 0034)."""

import hashlib
import secrets

from django.conf import settings

from connector.pairing.models import Pairing

TOLD_KEPT = 10  # addresses of Pairs without an answer, one after the other; each is a log-in of a person at Align


def callback_url(secret: str) -> str:
    """Where Align sends a pairing's scan notifications."""
    return f"{settings.BASE_URL}/notify/{secret}"


def callback_hash(secret: str) -> str:
    """How an address's secret is stored: SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_callback(pairing: Pairing) -> str:
    """A fresh secret for Pair to tell; from now on the row has its hash beside those that Align may know. Not saved."""
    secret = secrets.token_urlsafe(32)
    pairing.told_callback_hashes = [*pairing.told_callback_hashes, callback_hash(secret)][-TOLD_KEPT:]
    return secret


def note_taken(pairing: Pairing, reserved: Pairing) -> None:
    """Align has taken the address that `reserved` told, the row as it stood then: those before it are over. Not saved.

    What was told since stays. If another Pair was answered since, everything stays: nobody here knows whose address
    Align took last.
    """
    taken = reserved.told_callback_hashes[-1]
    alone = pairing.callback_hash == reserved.callback_hash
    over = {taken, *(reserved.told_callback_hashes if alone else ())}
    others = [*([] if alone else [pairing.callback_hash]), *pairing.told_callback_hashes]
    pairing.told_callback_hashes = [one for one in others if one and one not in over]
    pairing.callback_hash = taken
