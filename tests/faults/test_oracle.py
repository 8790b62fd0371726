"""The oracle sees each kind of loss; otherwise a table of zeros would say nothing."""

import logging
import uuid
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from connector.orders.models import Event, RevisionState
from labportal.labs.tenancy import in_lab
from tests.align import again
from tests.faults.oracle import judge
from tests.faults.traces import CANARY, Traces
from tests.intake.desk import Desk

Tamper = Callable[[Desk, str, Traces], object]


@pytest.fixture
def stored(desk: Desk) -> str:
    order_id = desk.arrives()
    desk.take_in()
    return order_id


def flip_a_bit(desk: Desk, order_id: str, traces: Traces) -> None:
    path = desk.zip_of(desk.revision(order_id))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def remove_the_file(desk: Desk, order_id: str, traces: Traces) -> None:
    desk.zip_of(desk.revision(order_id)).unlink()


def remove_the_order(desk: Desk, order_id: str, traces: Traces) -> None:
    with in_lab(desk.lab.pk):
        desk.order(order_id).delete()


def remove_the_event(desk: Desk, order_id: str, traces: Traces) -> None:
    with in_lab(desk.lab.pk):
        Event.objects.of(desk.lab).delete()


def leave_a_gap(desk: Desk, order_id: str, traces: Traces) -> None:
    with in_lab(desk.lab.pk):
        Event.objects.of(desk.lab).update(seq=2)


def stop_without_words(desk: Desk, order_id: str, traces: Traces) -> None:
    desk.update_revision(order_id, state=RevisionState.DEAD, reason="", sha256="")


def hold_a_lease(desk: Desk, order_id: str, traces: Traces) -> None:
    desk.update_revision(order_id, lease_token=uuid.uuid4())


def leave_it_on_its_way(desk: Desk, order_id: str, traces: Traces) -> None:
    desk.update_revision(order_id, state=RevisionState.FETCHING)


def return_it_behind_our_back(desk: Desk, order_id: str, traces: Traces) -> None:
    desk.align.tell(f"orders/{order_id}/return", {"reason": "bite", "comment": ""})


def log_a_name(desk: Desk, order_id: str, traces: Traces) -> None:
    logging.getLogger("connector").info("order of %s", desk.order(order_id).patient)


def log_a_token(desk: Desk, order_id: str, traces: Traces) -> None:
    logging.getLogger("connector").debug("token %s", again(desk.pairing).tokens.access_token)


def mail_a_name(desk: Desk, order_id: str, traces: Traces) -> None:
    traces.mails.mkdir(exist_ok=True)
    Path(traces.mails / "1.log").write_text(f"Your patient {CANARY}")


def ask_with(desk: Desk, query: dict[str, str]) -> None:
    """As a process does whose log tells no addresses: nothing but Align has seen it."""
    line = HTTPConnection(urlsplit(desk.align.url).netloc, timeout=10)
    line.request("GET", f"/eu/nothing-here?{urlencode(query)}")
    assert line.getresponse().status == 404
    line.close()


def ask_with_a_name(desk: Desk, order_id: str, traces: Traces) -> None:
    ask_with(desk, {"patient": desk.order(order_id).patient})


def ask_with_a_doctor(desk: Desk, order_id: str, traces: Traces) -> None:
    ask_with(desk, {"doctor": desk.order(order_id).doctor})


def ask_with_a_token(desk: Desk, order_id: str, traces: Traces) -> None:
    ask_with(desk, {"access_token": again(desk.pairing).tokens.access_token})


TAMPERINGS: list[tuple[Tamper, str]] = [
    (flip_a_bit, "wrong"),
    (remove_the_file, "wrong"),
    (remove_the_order, "lost"),
    (remove_the_event, "lost"),
    (leave_a_gap, "lost"),
    (stop_without_words, "lost"),
    (hold_a_lease, "stuck"),
    (leave_it_on_its_way, "stuck"),
    (return_it_behind_our_back, "duplicates"),
    (log_a_name, "leaked"),
    (log_a_token, "leaked"),
    (mail_a_name, "leaked"),
    (ask_with_a_name, "leaked"),
    (ask_with_a_doctor, "leaked"),
    (ask_with_a_token, "leaked"),
]


@pytest.mark.parametrize(("tamper", "column"), TAMPERINGS, ids=[tamper.__name__ for tamper, _ in TAMPERINGS])
def test_each_kind_of_loss_is_counted(desk: Desk, stored: str, traces: Traces, tamper: Tamper, column: str) -> None:
    assert judge(desk, traces).bad == 0
    tamper(desk, stored, traces)
    found = judge(desk, traces)
    assert getattr(found, column) > 0, found


def test_a_scan_that_can_not_be_had_and_is_explained_is_no_loss(desk: Desk, stored: str, traces: Traces) -> None:
    desk.update_revision(stored, state=RevisionState.GONE, reason="gone", sha256="")
    with in_lab(desk.lab.pk):
        Event.objects.of(desk.lab).delete()
    found = judge(desk, traces)
    assert (found.bad, found.explained) == (0, 1), found
