"""Two walls, each proven alone: with one of them taken away the other one still shows nothing of another lab.

The negative control takes both away and must see the other lab on every single page: so each line can fail.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from connector.lms.services import make_key
from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.world import World, fingerprint

# What Anna of lab A asks for; the ids are lab B's.
PAGES = {
    "inbox": "/?lane=all",
    "search": "/search",
    "inbox of a connection": "/?lane=all&connection={pairing_id}",
    "connections": "/connections/",
    "people": "/people/",
    "case": "/cases/{order_id}",
    "thumbnail": "/cases/{order_id}/thumbnail",
    "zip": "/cases/{order_id}/revisions/{number}/zip",
    "file": "/cases/{order_id}/files/{file_id}",
    "preview": "/cases/{order_id}/files/{file_id}/preview",
    "picture": "/cases/{order_id}/files/{picture_id}/picture",
    "return": "/cases/{order_id}/return",
    "export": "/api/v1/orders",
    "export of a case": "/api/v1/orders/{order_id}",
    "export of a zip": "/api/v1/orders/{order_id}/revisions/{number}/zip",
    "export of a file": "/api/v1/orders/{order_id}/files/{file_id}",
}
ACTS: dict[str, tuple[str, dict[str, str]]] = {
    "mark a case": ("/cases/{order_id}/workflow", {"workflow": "done"}),
    "return a case": ("/cases/{order_id}/return", {"reason": "bite", "comment": "x"}),
    "download several": ("/cases/download", {"order": "{order_id}"}),
    "sync": ("/connections/{pairing_id}/sync", {}),
    "fetch mode": ("/connections/{pairing_id}/mode", {"fetch_mode": "on_click"}),
    "change a member": ("/people/{membership_id}", {"role": "technician"}),
    "withdraw an invitation": ("/people/invitations/{invitation_id}/withdraw", {}),
    "un-pair": ("/connections/{pairing_id}/unpair", {"confirm": "yes"}),
}


def _body(response: Any) -> bytes:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    return bytes(body)


def _ids(world: World) -> dict[str, str]:
    return {**world.ids(), "mark": world.mark, "picture_id": str(world.picture.pk)}


def pages_that_show(world: World, client: Client) -> set[str]:
    """Names of the pages in which `client` finds rows or bytes of `world`."""
    found, mark = set(), world.mark.encode()
    for name, address in PAGES.items():
        if name == "search":
            response: Any = client.post(address, {"q": world.mark}, follow=True)
            # A search says back what was searched: only more than that is a find.
            echo = _body(client.post(address, {"q": f"nobody-{world.mark}"}, follow=True)).count(mark)
        else:
            response, echo = client.get(address.format(**_ids(world))), 0
        if response.status_code == 200 and _body(response).count(mark) > echo:
            found.add(name)
    return found


def acts_that_change(world: World, client: Client) -> set[str]:
    """Names of the acts by which `client` changes a row of `world`."""
    found = set()
    for name, (address, form) in ACTS.items():
        before = fingerprint(world.order.lab_id)
        data = {key: value.format(**_ids(world)) for key, value in form.items()}
        _body(client.post(address.format(**_ids(world)), data))
        if fingerprint(world.order.lab_id) != before:
            found.add(name)
    return found


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level("CRITICAL"):
        yield


@pytest.fixture
def anna(cast: Cast, client_of: Any, committed: None) -> Client:
    """Signed in, and with an API key of her lab for the export."""
    client: Client = client_of(cast.anna)
    _, text = make_key(lab=cast.lab_a, name="LMS", by=cast.anna)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    return client


def test_with_both_walls_no_page_shows_another_labs_rows(worlds: Worlds, anna: Client) -> None:
    assert pages_that_show(worlds[1], anna) == set()


def test_a_lab_finds_its_own_rows_on_every_page(worlds: Worlds, anna: Client) -> None:
    assert pages_that_show(worlds[0], anna) == set(PAGES)


def test_without_the_filter_row_level_security_alone_shows_nothing(
    worlds: Worlds, anna: Client, without_filter: Callable[[], None]
) -> None:
    without_filter()
    assert pages_that_show(worlds[1], anna) == set()


def test_without_row_level_security_the_filter_alone_shows_nothing(
    worlds: Worlds, anna: Client, without_row_level_security: Callable[[], Any]
) -> None:
    with without_row_level_security():
        assert pages_that_show(worlds[1], anna) == set()


def test_with_neither_wall_every_page_shows_the_other_lab(
    worlds: Worlds,
    anna: Client,
    without_filter: Callable[[], None],
    without_row_level_security: Callable[[], Any],
) -> None:
    without_filter()
    with without_row_level_security():
        assert pages_that_show(worlds[1], anna) == set(PAGES)


def test_without_the_filter_row_level_security_alone_lets_nothing_be_changed(
    worlds: Worlds, anna: Client, without_filter: Callable[[], None]
) -> None:
    without_filter()
    assert acts_that_change(worlds[1], anna) == set()


def test_without_row_level_security_the_filter_alone_lets_nothing_be_changed(
    worlds: Worlds, anna: Client, without_row_level_security: Callable[[], Any]
) -> None:
    with without_row_level_security():
        assert acts_that_change(worlds[1], anna) == set()


def test_with_neither_wall_every_act_reaches_the_other_lab(
    worlds: Worlds,
    anna: Client,
    without_filter: Callable[[], None],
    without_row_level_security: Callable[[], Any],
) -> None:
    without_filter()
    with without_row_level_security():
        assert acts_that_change(worlds[1], anna) == set(ACTS)
