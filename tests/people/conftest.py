"""Lab A's people at work: the owner's browser, the mails that leave, a stranger at a link."""

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from connector.pairing.models import Pairing
from labportal.labs.models import Lab, Membership, User
from labportal.labs.tenancy import in_lab
from labportal.people.invitations import invite
from tests.cast import Cast
from tests.orders.make import make_pairing


@pytest.fixture(autouse=True)
def _no_limits_of_other_tests(request: pytest.FixtureRequest) -> None:
    if "committed" not in request.fixturenames:  # that one empties the cache itself
        request.getfixturevalue("db")
        cache.clear()


@pytest.fixture
def anna(cast: Cast, client_of: Callable[[User], Client], db: None) -> Client:
    """The owner of lab A."""
    return client_of(cast.anna)


@pytest.fixture
def two(cast: Cast, db: None) -> tuple[Pairing, Pairing]:
    """Two connections of lab A."""
    return make_pairing(cast.lab_a, "first"), make_pairing(cast.lab_a, "second")


def membership_of(lab: Lab, user: User) -> Membership | None:
    with in_lab(lab.pk):
        return Membership.objects.of(lab).select_related("user", "lab").filter(user=user).first()


def the(membership: Membership | None) -> Membership:
    assert membership is not None
    return membership


def link_in(message: mail.EmailMessage) -> str:
    """The path of the link that a mail carries."""
    found = re.search(r"https?://[^/\s]+(/(?:join|sign-up)/\S+)", str(message.body))
    assert found, message.body
    return found[1]


def invited(lab: Lab, by: User, email: str = "carla@example.com", role: str = "technician", **more: object) -> str:
    """The path of the link in the mail of a new invitation."""
    invite(lab=lab, email=email, role=role, by=by, **({"pairings": None} | more))  # type: ignore[arg-type]  # as the test says
    return link_in(mail.outbox[-1])
