"""What nobody may guess: made by the system's generator, long enough, never twice."""

import secrets
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa import app_settings
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.contrib.sessions.backends.db import SessionStore

from connector.lms.key_text import new_key_text
from labportal.people.tokens import new_token
from labportal.secret_files import new_password

# Kind → how one is made, how many letters it is made of, how many bits it must have.
KINDS: dict[str, tuple[Callable[[], str], int, float]] = {
    "link in a mail": (new_token, 64, 256),
    "API key": (lambda: new_key_text().split("_")[2][:43], 62, 256),
    "database password": (new_password, 64, 256),
    "session": (lambda: SessionStore()._get_new_session_key(), 36, 128),  # type: ignore[attr-defined]  # Django's own
    "seed of an authenticator app": (generate_totp_secret, 32, 160),
    "seed of recovery codes": (RecoveryCodes.generate_seed, 16, 160),
}


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_long_enough_and_never_comes_twice(kind: str) -> None:
    make, letters, bits = KINDS[kind]
    made = {make() for _ in range(200)}
    assert len(made) == 200
    assert min(map(len, made)) >= bits / (letters - 1).bit_length()
    assert len(set("".join(made))) > letters * 0.6  # all of the alphabet is used


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("kind", ["link in a mail", "API key", "database password", "seed of recovery codes"])
def test_it_comes_from_the_systems_generator(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With another source in its place, the same again."""
    make, _, _ = KINDS[kind]

    def same(*arguments: Any) -> Any:
        return arguments[0][0] if arguments and isinstance(arguments[0], str) else "0" * 64

    for name in ("token_urlsafe", "token_hex", "choice"):
        monkeypatch.setattr(secrets, name, same)
    assert make() == make()


def test_a_recovery_code_has_more_than_twenty_bits() -> None:
    assert 10**app_settings.RECOVERY_CODE_DIGITS > 2**20
