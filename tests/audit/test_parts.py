"""Every byte of a file that goes out is recorded: whole, in part, or all but the first byte."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from connector.lms.services import make_key
from connector.orders import store
from connector.orders.models import Order, Revision, ScanFile
from labportal.audit.models import Entry
from labportal.labs.tenancy import in_lab
from tests.audit.conftest import Since
from tests.audit.test_doors import LOOKS, SignedIn, acts, path
from tests.cast import Cast
from tests.isolation.world import World

FILES = {
    "/cases/{order_id}/revisions/{number}/zip": "case.downloaded",
    "/cases/{order_id}/files/{file_id}": "case.downloaded",
    "/api/v1/orders/{order_id}/revisions/{number}/zip": "case.exported",
    "/api/v1/orders/{order_id}/files/{file_id}": "case.exported",
}
ALL_BUT_A_BYTE = {"Range": "bytes=1-"}


def _take(client: Client, address: str, headers: dict[str, str]) -> int:
    response: Any = client.get(address, headers=headers)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    response.close()
    assert body
    return int(response.status_code)


@pytest.fixture
def taker(cast: Cast, world: World, since: Since, client_of: SignedIn) -> Callable[[str, dict[str, str]], list[Entry]]:
    """Takes from an address as Theo, or as the lab's system, and gives the entries that this made."""
    client, (_, text) = client_of(cast.theo), make_key(lab=cast.lab_a, name="LMS", by=cast.anna)

    def take(address: str, headers: dict[str, str]) -> list[Entry]:
        before = len(since(cast.lab_a.pk))
        key = {"Authorization": f"Bearer {text}"} if address.startswith("/api/") else {}
        assert _take(client, path(address, world), key | headers) in (200, 206)
        return since(cast.lab_a.pk)[before:]

    return take


@pytest.mark.parametrize("asked", ["bytes=1-", "bytes=-3", "bytes=0-", "bytes=1-2,4-5"])
@pytest.mark.parametrize("address", FILES)
def test_who_takes_a_part_of_a_file_is_recorded(address: str, asked: str, taker: Any, world: World) -> None:
    """All but the first byte is as good as all."""
    (entry,) = taker(address, {"Range": asked})
    assert (entry.action, entry.object_id) == (FILES[address], str(world.order.pk))
    assert entry.details["revision"] == world.revision.number


@pytest.mark.parametrize("address", FILES)
def test_the_rest_of_a_broken_download_is_no_second_entry(
    address: str, taker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(taker(address, {})) == 1
    assert taker(address, ALL_BUT_A_BYTE) == []
    assert len(taker(address, {})) == 1, "whole, each time"
    monkeypatch.setattr("connector.orders.trail.THE_SAME_DOWNLOAD", timedelta(0))
    assert len(taker(address, ALL_BUT_A_BYTE)) == 1


@pytest.mark.parametrize("address", FILES)
def test_a_part_of_one_scan_does_not_stand_for_the_next_one(address: str, taker: Any, world: World, cast: Cast) -> None:
    assert len(taker(address, ALL_BUT_A_BYTE)) == 1
    with in_lab(cast.lab_a.pk):
        Revision.objects.of(cast.lab_a).filter(pk=world.revision.pk).update(number=7)
    assert len(taker(address.replace("{number}", "7"), ALL_BUT_A_BYTE)) == 1


@pytest.mark.parametrize("address", [address for address in FILES if address.endswith("{file_id}")])
def test_a_part_of_one_file_does_not_stand_for_another_of_its_role(
    address: str, taker: Any, world: World, cast: Cast
) -> None:
    with in_lab(cast.lab_a.pk):
        ScanFile.objects.of(cast.lab_a).update(role="upper")
    assert len(taker(address, ALL_BUT_A_BYTE)) == 1
    assert len(taker(address.replace("{file_id}", "{picture_id}"), ALL_BUT_A_BYTE)) == 1


def test_a_part_for_one_person_does_not_stand_for_another(
    taker: Any, world: World, cast: Cast, since: Since, client_of: SignedIn
) -> None:
    address = "/cases/{order_id}/revisions/{number}/zip"
    assert len(taker(address, ALL_BUT_A_BYTE)) == 1
    client, before = client_of(cast.vera), len(since(cast.lab_a.pk))
    _take(client, path(address, world), ALL_BUT_A_BYTE)
    assert acts(since(cast.lab_a.pk)[before:]) == ["case.downloaded"]


@pytest.mark.parametrize(
    "address", ["/cases/{order_id}/files/{file_id}/preview", "/cases/{order_id}/files/{picture_id}/picture",
                "/cases/{order_id}/thumbnail"],
)  # fmt: skip
def test_a_part_of_a_preview_is_recorded_and_each_revision_by_itself(
    address: str, taker: Any, world: World, cast: Cast
) -> None:
    assert acts(taker(address, ALL_BUT_A_BYTE)) == [LOOKS[address]]
    assert taker(address, ALL_BUT_A_BYTE) == []
    with in_lab(cast.lab_a.pk):
        Revision.objects.of(cast.lab_a).filter(pk=world.revision.pk).update(number=7)
        Order.objects.of(cast.lab_a).filter(pk=world.order.pk).update(latest_number=7)
    assert acts(taker(address, ALL_BUT_A_BYTE)) == [LOOKS[address]]


def test_several_cases_in_one_zip_are_an_entry_each_whatever_part_was_asked_for(
    cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    client, before = client_of(cast.theo), len(since(cast.lab_a.pk))
    for number in (1, 2):
        client.post("/cases/download", {"order": str(world.order.pk)}, headers=ALL_BUT_A_BYTE).close()
        assert acts(since(cast.lab_a.pk)[before:]) == ["case.downloaded"] * number
    assert since(cast.lab_a.pk)[-1].object_id == str(world.order.pk)


def test_a_look_at_a_file_without_taking_it_is_no_download(
    cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    client, before = client_of(cast.theo), len(since(cast.lab_a.pk))
    address = path("/cases/{order_id}/revisions/{number}/zip", world)
    client.head(address)
    client.get(address, headers={"Range": "bytes=999999999-"})
    assert acts(since(cast.lab_a.pk)[before:]) == []


def test_a_file_that_is_gone_is_recorded_since_the_page_names_the_patient(
    cast: Cast, world: World, since: Since, client_of: SignedIn
) -> None:
    client, before = client_of(cast.theo), len(since(cast.lab_a.pk))
    store.scans().delete(world.revision.archive)
    for address in list(FILES)[:2]:
        answer = client.get(path(address, world))
        assert (answer.status_code, "QQalphaQQ" in answer.content.decode()) == (503, True)
    entries = since(cast.lab_a.pk)[before:]
    assert acts(entries) == ["case.file_missing"] * 2
    assert {(entry.object_id, entry.actor_id) for entry in entries} == {(str(world.order.pk), cast.theo.pk)}
