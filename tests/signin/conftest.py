"""People at the door, by test client; every request really commits, as allauth's signals wait for that."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from labportal.labs.models import Lab, User
from labportal.labs.routers import as_operator
from tests.cast import PASSWORD
from tests.signin import phone
from tests.signin.at_company import identity, sign_on  # noqa: F401 - fixtures

LOG_IN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _committed(committed: None) -> None:
    cache.clear()


def log_in(user: User, client: Client | None = None, **more: str) -> Client:
    """With e-mail and password, as far as that goes."""
    client = client or Client()
    client.post(LOG_IN, {"login": user.email, "password": PASSWORD, **more})
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/security/").status_code == 200


@pytest.fixture
def enrol() -> Callable[[User], tuple[Client, str]]:
    """Sign in and set up an authenticator app; the app's code of the step before this one is spent on it."""

    def enrolled(user: User) -> tuple[Client, str]:
        phone.away_from_the_edge()
        client = log_in(user)
        page = client.get("/accounts/2fa/totp/activate/").content.decode()
        found = re.search(r'id="totp_secret">([A-Z2-7]+)<', page)
        assert found
        client.post("/accounts/2fa/totp/activate/", {"code": phone.code(found[1], step=-1)})
        return client, found[1]

    return enrolled


@pytest.fixture
def rules(cast: object) -> Iterator[Callable[..., None]]:
    """Change a lab's rules of sign-in, for this test."""
    touched: list[Lab] = []
    plain = {
        "mfa_required": False, "sso_required": False, "sso_counts_as_mfa": True, "idle_minutes": None,
        "session_hours": None,
    }  # fmt: skip

    def change(lab: Lab, **values: object) -> None:
        touched.append(lab)
        with as_operator():
            Lab.objects.filter(pk=lab.pk).update(**values)

    yield change
    for lab in touched:
        with as_operator():
            Lab.objects.filter(pk=lab.pk).update(**plain)
