"""A lab with a provider of its own, a real one in a second process, and people who sign in there."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from labportal.labs.models import Lab
from labportal.labs.tenancy import in_lab
from labportal.signin import company
from labportal.signin.models import SignOn
from tests.cast import Cast
from tests.identity.running import Provider, provider


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with provider(tmp_path_factory.mktemp("identity")) as running:
        yield running


def set_up(lab: Lab, identity: Provider, **more: Any) -> SignOn:
    with in_lab(lab.pk):
        made = company.save(
            lab=lab, issuer=identity.url, client_id=identity.client_id, secret=identity.secret,
            **{"vouches_for_addresses": False, **more},
        )  # fmt: skip
    identity.register(f"http://testserver/accounts/oidc/{made.pk}/callback")
    return made


@pytest.fixture
def sign_on(cast: Cast, identity: Provider) -> SignOn:
    return set_up(cast.lab_a, identity)


def leave(client: Client, door: str = "lab-a", query: str = "") -> str:
    """The provider's address that the portal sends the browser to."""
    return str(client.post(f"/accounts/company/{door}/{query}").context["url"])


def arrive(client: Client, back: str) -> Any:
    parts = urlsplit(back)
    return client.get(f"{parts.path}?{parts.query}")


def come_in(identity: Provider, email: str, door: str = "lab-a", query: str = "") -> tuple[Client, Any]:
    """(client, the portal's answer) of somebody who signs in at the provider."""
    client = Client()
    return client, arrive(client, identity.walk(leave(client, door, query), email))
