"""The REST export: a key opens its own lab's orders, and tells nothing of another's."""

from collections.abc import Iterator

import pytest
from django.test import Client

from connector.lms.services import make_key
from labportal.labs.models import Lab
from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.routes import ROUTES
from tests.isolation.test_every_url import ask, ids_of, seen_by
from tests.isolation.world import fingerprint

ONE_ORDER = pytest.mark.parametrize("name", ["lms:order", "lms:zip", "lms:file"])


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


def with_key(lab: Lab) -> Client:
    """A lab's own system."""
    _, text = make_key(lab=lab, name="LMS", by=None)
    return Client(headers={"Authorization": f"Bearer {text}"})


@ONE_ORDER
def test_a_labs_own_key_opens_its_order(name: str, worlds: Worlds, cast: Cast) -> None:
    assert ask(with_key(cast.lab_a), name, "GET", ids_of(worlds[0])).status == 200


@ONE_ORDER
def test_another_labs_order_answers_like_one_that_does_not_exist(name: str, worlds: Worlds, cast: Cast) -> None:
    system = with_key(cast.lab_b)
    before = fingerprint(cast.lab_a.pk)
    foreign, missing = ask(system, name, "GET", ids_of(worlds[0])), ask(system, name, "GET", ids_of(None))
    assert foreign.status == 404
    assert seen_by(foreign) == seen_by(missing)
    assert fingerprint(cast.lab_a.pk) == before


def test_a_file_of_another_lab_is_not_found_under_an_own_order(worlds: Worlds, cast: Cast) -> None:
    mixed = ids_of(worlds[1]) | {"file_id": str(worlds[0].scan.pk)}
    assert ask(with_key(cast.lab_b), "lms:file", "GET", mixed).status == 404


def test_the_list_holds_the_keys_lab_only(worlds: Worlds, cast: Cast) -> None:
    body = ask(with_key(cast.lab_b), "lms:orders", "GET", {}).body.decode()
    assert worlds[1].order.order_id in body
    assert worlds[0].mark not in body


def test_a_key_opens_nothing_but_the_export(worlds: Worlds, cast: Cast) -> None:
    system = with_key(cast.lab_a)
    for name in ("inbox", "case", "revision_zip", "connections"):
        assert ROUTES[name].get.startswith("login")
        assert ask(system, name, "GET", ids_of(worlds[0])).status == 302
