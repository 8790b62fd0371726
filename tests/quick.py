"""What the suite does quicker than the portal; tests about these things ask for them as they run."""

from typing import Any

import pytest
from django.conf import global_settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher


class QuickHasher(PBKDF2PasswordHasher):
    """The same hash, not made slow on purpose."""

    iterations = 1


@pytest.fixture(scope="session", autouse=True)
def _quick() -> None:
    """A slow hash costs a fifth of a second at each log-in; and each of thousands of test clients would look through
    the static folders first."""
    from django.conf import settings

    settings.PASSWORD_HASHERS = [f"{__name__}.QuickHasher"]
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def passwords_as_they_run(settings: Any) -> None:
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS


@pytest.fixture
def static_files_as_they_run(settings: Any) -> None:
    """The list of them is made once, at the start."""
    settings.WHITENOISE_AUTOREFRESH = False
