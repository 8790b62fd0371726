"""Wrong settings for Align are caught before the first request."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from connector.itero.errors import ProfileError
from connector.pairing import vendor


@register()
def token_keys_are_keys(**kwargs: Any) -> list[CheckMessage]:
    for number, entry in enumerate(settings.TOKEN_KEYS, start=1):
        key_id, _, key = entry.partition(":")
        try:
            Fernet(key)
        except ValueError:
            return [
                Error(
                    f"TOKEN_KEYS entry {number} must be id:key, the key made by Fernet.generate_key().",
                    id="pairing.E001",
                )
            ]
        if not key_id:
            return [Error(f"TOKEN_KEYS entry {number} has no id.", id="pairing.E001")]
    return []


@register()
def profile_can_be_read(**kwargs: Any) -> list[CheckMessage]:
    try:
        vendor.profile()
    except (ProfileError, OSError) as error:
        return [Error(f"ITERO_PROFILE: {error}", id="pairing.E002")]
    return []
