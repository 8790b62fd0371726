"""On its way from Align to the store a patient's name, and no token either, comes out nowhere, whatever goes wrong."""

from contextlib import suppress
from typing import Any

import requests

from connector.itero.errors import IteroError
from connector.pairing.access import PairingStopped
from labportal.keeping.status import status
from labportal.tick import tick
from tests.align import change
from tests.canary.everywhere import PATIENT, Canary, all_logs, leaks, mails_text, tables
from tests.intake.desk import Desk, OpenDesk, work
from tests.mails import Mails, mails  # noqa: F401 - a fixture

WHO = {"firstName": PATIENT, "lastName": f"{PATIENT}-Meier", "chartNumber": PATIENT}
# Each on the list, on the look by RxID and on the download.
FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 401, "times": 2}, {"status": 403}, {"status": 404}, {"status": 410}, {"status": 429}, {"status": 500},
    {"html": True}, {"half_json": True}, {"garbage": True}, {"reset_at": 0.5}, {"truncate_at": 0.5},
)  # fmt: skip


def test_no_failure_on_the_way_lets_it_out(open_desk: OpenDesk, mails: Mails) -> None:  # noqa: F811 - the fixture
    canary, not_met = Canary(), []
    with all_logs() as logs:
        desk = open_desk(normal=1)
        for call in ("orders", "orderByRxId", "download"):
            for fault in FAULTS:
                remember(canary, desk)
                if call != "orders" or fault is FAULTS[0]:
                    sent = desk.align.create_order(patient=WHO)["orderId"]
                desk.align.fault(call=call, **fault)
                go_on(desk, sent)
                not_met += requests.get(f"{desk.align.url}/_sim/faults", timeout=10).json()["faults"]
                desk.align.clear_faults()
                change(desk.pairing, state="active", reason="", paused_until=None)
                desk.ripen()
        for kind in ("truncated", "traversal", "bomb"):
            go_on(desk, desk.align.create_order(patient=WHO, zip=kind)["orderId"])
        remember(canary, desk)
        page = desk.browser.get("/attention/").content.decode() + desk.browser.get("/?lane=all").content.decode()
    assert not_met == []  # each fault was met
    assert PATIENT in page  # cases came in, and the lab sees them
    assert canary.lines_with(logs.getvalue()) == []
    assert canary.lines_with(mails_text(mails)) == []
    assert canary.found_in(str(status())) == []
    assert leaks(tables(canary)) == {}
    assert len(canary.secrets) > 4  # tokens were renewed on the way
    assert "/orders" in logs.getvalue()  # the log goes down to each call


def go_on(desk: Desk, order_id: str) -> None:
    """A look, a push, and all that follows from both."""
    with suppress(IteroError, PairingStopped):
        desk.poll()
    desk.push(order_id)
    tick()
    work(forgiving=True)


def remember(canary: Canary, desk: Desk) -> None:
    tokens = desk.pairing_now().tokens
    canary.add(tokens.access_token, tokens.refresh_token, desk.secret, "demo-secret")
