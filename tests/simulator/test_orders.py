"""Get Orders, Get Order By RxID and Download Order."""

import hashlib

from tests.simulator.launch import Simulator
from tests.simulator.visitor import Assumed


def test_a_new_order_is_listed_and_leaves_the_list_when_downloaded(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    assert order_id in lab.listed()
    assert lab.download(order_id).status_code == 200
    assert order_id not in lab.listed()


def test_the_truth_knows_the_bytes_that_were_served(simulator: Simulator, lab: Assumed) -> None:
    order_id = simulator.create_order()["orderId"]
    full, thumbnails = lab.download(order_id), lab.download(order_id, "IMAGE_GALLERY")
    revision = simulator.order(order_id)["revisions"][0]
    assert hashlib.sha256(full.content).hexdigest() == revision["sha256_full"]
    assert hashlib.sha256(thumbnails.content).hexdigest() == revision["sha256_thumbnails"]
    assert simulator.order(order_id)["acknowledged"]
