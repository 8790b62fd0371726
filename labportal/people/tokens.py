"""The secret in a mailed link: shown in that mail only, kept as a hash."""

import hashlib
import secrets


def new_token() -> str:
    """256 random bits, as they stand in an address."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """How a token is kept: SHA-256 suffices for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
