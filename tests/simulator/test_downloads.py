"""Download Order: bytes, consumption, ranges, second downloads."""

import hashlib
import io
import zipfile

import pytest
import requests

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed


def connected(simulator: Simulator) -> Assumed:
    visitor = Assumed(simulator)
    visitor.connect()
    return visitor


def test_the_truth_knows_the_bytes_that_were_served(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    full, thumbnails = lab.download(order_id), lab.download(order_id, "IMAGE_GALLERY")
    revision = simulator.order(order_id)["revisions"][0]
    assert hashlib.sha256(full.content).hexdigest() == revision["sha256_full"]
    assert hashlib.sha256(thumbnails.content).hexdigest() == revision["sha256_thumbnails"]
    assert len(full.content) == revision["size"] == int(full.headers["Content-Length"])


def test_the_zip_is_whole(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    with zipfile.ZipFile(io.BytesIO(lab.download(order_id).content)) as archive:
        assert archive.testzip() is None


def test_a_download_takes_the_order_off_the_list_and_changes_nothing_else(simulator: Simulator, lab: Assumed) -> None:
    created = simulator.create_order()
    before = lab.by_rx_id(created["rxId"]).json()
    assert created["orderId"] in lab.listed()
    lab.download(created["orderId"])
    assert created["orderId"] not in lab.listed()
    assert simulator.order(created["orderId"])["acknowledged"]
    assert lab.by_rx_id(created["rxId"]).json() == before


@pytest.mark.parametrize(("consume_at", "listed"), [("first", False), ("last", True)])
def test_a_broken_download_consumes_by_switch(start_simulator: Start, consume_at: str, listed: bool) -> None:
    simulator = start_simulator(consume_at=consume_at)
    lab = connected(simulator)
    order_id = simulator.create_order()["orderId"]
    simulator.fault(call="download", truncate_at=0.5)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        lab.download(order_id)
    assert not simulator.order(order_id)["acknowledged"]
    assert (order_id in lab.listed()) is listed


@pytest.mark.parametrize(("consume", "listed"), [("yes", False), ("no", True)])
def test_thumbnails_consume_by_switch(start_simulator: Start, consume: str, listed: bool) -> None:
    simulator = start_simulator(thumbnails_consume=consume)
    lab = connected(simulator)
    order_id = simulator.create_order()["orderId"]
    assert lab.download(order_id, "IMAGE_GALLERY").status_code == 200
    assert (order_id in lab.listed()) is listed


def test_a_second_download_gives_the_same_bytes(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    assert lab.download(order_id).content == lab.download(order_id).content
    assert simulator.order(order_id)["downloads"] == 2


def test_a_second_download_is_gone_by_switch(start_simulator: Start) -> None:
    simulator = start_simulator(second_download="gone")
    lab = connected(simulator)
    order_id = simulator.create_order()["orderId"]
    assert lab.download(order_id).status_code == 200
    assert lab.download(order_id).status_code == 410
    assert lab.download(order_id, "IMAGE_GALLERY").status_code == 200


def test_a_broken_download_can_be_continued_even_when_a_second_one_is_gone(start_simulator: Start) -> None:
    simulator = start_simulator(second_download="gone")
    lab = connected(simulator)
    order_id = simulator.create_order()["orderId"]
    simulator.fault(call="download", truncate_at=0.5)
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        lab.download(order_id)
    assert lab.download(order_id).status_code == 410
    assert lab.download(order_id, Range="bytes=100-").status_code == 206
    assert simulator.order(order_id)["acknowledged"]


def test_ranges_put_together_are_the_whole_file(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    head = lab.download(order_id, Range="bytes=0-999")
    assert (head.status_code, len(head.content)) == (206, 1000)
    assert not simulator.order(order_id)["acknowledged"]
    rest = lab.download(order_id, Range="bytes=1000-", If_Range=head.headers["ETag"])
    size = simulator.order(order_id)["revisions"][0]["size"]
    assert rest.headers["Content-Range"] == f"bytes 1000-{size - 1}/{size}"
    digest = hashlib.sha256(head.content + rest.content).hexdigest()
    assert digest == simulator.order(order_id)["revisions"][0]["sha256_full"]
    assert simulator.order(order_id)["acknowledged"]


def test_a_suffix_range_gives_the_end(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    assert lab.download(order_id, Range="bytes=-22").content[:4] == b"PK\x05\x06"


def test_an_outdated_if_range_gives_the_whole_file(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    assert lab.download(order_id, Range="bytes=10-", If_Range='"old"').status_code == 200


def test_a_range_behind_the_end_is_416(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    answer = lab.download(order_id, Range="bytes=999999999-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"].startswith("bytes */")


def test_ranges_can_be_switched_off(start_simulator: Start) -> None:
    simulator = start_simulator(no_range=True)
    order_id = simulator.create_order()["orderId"]
    answer = connected(simulator).download(order_id, Range="bytes=10-")
    assert answer.status_code == 200
    assert "Accept-Ranges" not in answer.headers


@pytest.mark.parametrize("kind", ["truncated", "encrypted", "traversal", "bomb", "broken_mesh", "no_metadata"])
def test_a_broken_zip_is_served_as_it_is_and_its_rescan_is_good(simulator: Simulator, lab: Assumed, kind: str) -> None:
    order_id = simulator.create_order(zip=kind)["orderId"]
    served = lab.download(order_id).content
    assert hashlib.sha256(served).hexdigest() == simulator.order(order_id)["revisions"][0]["sha256_full"]
    lab.send_back(order_id)
    simulator.wait_for_order(order_id, revision=2, listed=True)
    with zipfile.ZipFile(io.BytesIO(lab.download(order_id).content)) as archive:
        assert archive.testzip() is None


def test_an_unknown_asset_is_400_and_an_unknown_order_404(simulator: Simulator, lab: Assumed) -> None:
    assert lab.download(simulator.create_order()["orderId"], "SOUP").status_code == 400
    assert lab.download("1").status_code == 404
