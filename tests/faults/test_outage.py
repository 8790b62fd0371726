"""Align is away: for a moment, for a return, for a day and several labs. Then everybody comes back (not at once:
test_herd.py)."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django_q.models import OrmQ

from connector.intake.models import Notification, NotificationState, Reconciliation, SyncRun
from connector.orders.models import Revision, RevisionState
from connector.pairing.models import Pairing
from connector.returns.models import Return, ReturnState
from connector.returns.services import request_return
from labportal.doorbell import ring_tick
from labportal.labs.models import User
from labportal.labs.tenancy import in_lab
from labportal.tick import tick
from tests.align import pair_lab
from tests.cast import Cast
from tests.faults.lines import DOWNLOAD, RETURN, OpenLine, Reach
from tests.faults.recovery import recover
from tests.faults.test_calls import BREAKS, SOME
from tests.faults.traces import PATIENT
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, work
from tests.intake.worker_process import Worker
from tests.line.answers import scripted
from tests.line.toxics import Instead

HOUR = timedelta(hours=1)
HOURS = 6
SECONDS_AN_HOUR = 15.0


@pytest.mark.cut
@pytest.mark.parametrize("name", SOME)
@pytest.mark.fault_case("outage", "a return whose answer is lost: {name}")
def test_a_return_is_told_once(open_line: OpenLine, verdict: Verdict, cast: Cast, name: str) -> None:
    """Align takes it, and sometimes the doctor has scanned again before we ask what became of it."""
    reach = open_line()
    order_id = reach.desk.arrives()
    reach.desk.take_in()
    reach.line.add(BREAKS[name](RETURN))
    with in_lab(reach.desk.lab.pk):
        request_return(order=reach.desk.order(order_id), by=cast.theo, reason="margin", comment="")
    work(forgiving=True)
    reach.desk.align.wait_for_order(order_id, revision=2, listed=True)
    recover(reach.desk)
    reach.desk.poll()
    recover(reach.desk)
    verdict(reach.desk)
    assert len(reach.desk.align.order(order_id)["returns"]) == 1


@pytest.mark.fault_case("outage", "a push while Align is down, told of on no list")
def test_a_push_comes_while_align_is_down(open_line: OpenLine, verdict: Verdict) -> None:
    reach = open_line()
    order_id = reach.desk.in_stock["normal"].pop(0)
    reach.desk.align.tell(f"orders/{order_id}/status", {"status": "Ready for Download"})
    reach.line.down()
    for _ in range(3):
        assert reach.desk.push(order_id) == 202
        reach.desk.sweep()
    reach.line.up()
    recover(reach.desk)
    verdict(reach.desk)


WAITS: dict[Any, tuple[str, ...]] = {
    Pairing: ("next_due", "paused_until"),
    Revision: ("next_due",),
    Return: ("next_due",),
}
NOBODY_AT_WORK: dict[Any, tuple[str, ...]] = {
    Pairing: ("access_expires_at", "polled_at", "succeeded_at", "reason_at"),
    Revision: ("lease_until",),
    Notification: ("taken_at",),
    SyncRun: ("started_at",),
    Reconciliation: ("started_at",),
}


def time_passes(desks: list[Desk], *, at_work: bool = False, step: timedelta = HOUR) -> None:
    """The clocks of all that waits move on by an hour, or another step; nothing is made due that would not be. While a
    worker is at work its leases and its token are left alone."""
    for lab_id in {desk.lab.pk for desk in desks}:
        with in_lab(lab_id):
            for fields_of in (WAITS,) if at_work else (WAITS, NOBODY_AT_WORK):
                for model, names in fields_of.items():
                    for name in names:
                        back(model, lab_id, name, step)


def back(model: Any, lab_id: Any, field: str, step: timedelta) -> None:
    model.objects.of(lab_id).exclude(**{field: None}).update(**{field: F(field) - step})


def three_pairings(reach: Reach, bruno: Client, cast: Cast) -> list[Desk]:
    """Lab A's account and a second one, and lab B's."""
    desk = reach.desk
    second = pair_lab(desk.browser, desk.align, "480")
    other = pair_lab(bruno, desk.align, "512")
    OrmQ.objects.all().delete()
    return [
        desk,
        Desk(desk.align, desk.lab, second, desk.browser, {}),
        Desk(desk.align, cast.lab_b, other, bruno, {}),
    ]


AWAY = {
    "no connection": None,
    "503 on every call": Instead(answer=scripted(503)),
    "a maintenance page": Instead(answer=scripted(200, b"<html>Back soon", "Content-Type: text/html")),
}


@pytest.mark.parametrize("how", AWAY)
@pytest.mark.fault_case("outage", "24 hours, three pairings of two labs: {how}")
def test_a_day_without_align_is_caught_up(
    open_line: OpenLine,
    verdict: Verdict,
    cast: Cast,
    client_of: Callable[[User], Client],
    tmp_path: Path,
    how: str,
) -> None:
    # With tokens that last, the orders themselves are tried all day; with those of an hour, nothing gets so far.
    reach = open_line(token_lifetime=200_000 if how == "a maintenance page" else 3600)
    desks = three_pairings(reach, client_of(cast.bruno), cast)
    waiting, returned = reach.desk.arrives(), reach.desk.arrives()
    reach.desk.take_in()
    seen = reach.desk.arrives()
    reach.desk.poll()
    with in_lab(reach.desk.lab.pk):
        request_return(order=reach.desk.order(returned), by=cast.theo, reason="margin", comment="")
    go_away(reach, how)
    for hour in range(24):
        time_passes(desks)
        if hour % 6 == 0:
            arrive_everywhere(reach, desks)
        tick()
        work(forgiving=True)
    assert reach.desk.revision(waiting).has_files
    assert reach.desk.revision(seen).state in (RevisionState.SEEN, RevisionState.RETRY)
    with in_lab(reach.desk.lab.pk):
        assert Return.objects.of(reach.desk.lab).get().state == ReturnState.QUEUED
    reach.heal()
    reach.desk.align.advance_clock(24 * 3600)
    time_passes(desks)
    catch_up(reach, desks, tmp_path)
    for desk in desks:
        recover(desk)
        verdict(desk)


def go_away(reach: Reach, how: str) -> None:
    toxic = AWAY[how]
    if toxic is None:
        reach.line.down()
    else:
        reach.line.add(toxic)


def arrive_everywhere(reach: Reach, desks: list[Desk]) -> None:
    """A scan in each account, and a push of it."""
    for desk in desks:
        made = desk.align.create_order(account_id=int(desk.pairing.account_id), patient=PATIENT)
        assert desk.push_body({"rxId": made["rxId"]}) == 202


def catch_up(reach: Reach, desks: list[Desk], folder: Path) -> None:
    """A real worker comes to an Align that is there again; how it asks is counted at the line."""
    OrmQ.objects.all().delete()
    before = len(reach.line.exchanges)
    worker = Worker(folder / "logs" / "catching-up.log")
    try:
        for _ in range(HOURS):  # pauses and retries have backed off to an hour and a fifth
            time_passes(desks, at_work=True)
            ring_tick()
            if wait_for(lambda: all(caught_up(desk) for desk in desks)):
                break
        else:
            raise AssertionError(f"not caught up after {HOURS} hours")
    finally:
        worker.stop()
    reach.line.exchanges[:before] = []
    fetched = [one.request_line for one in reach.line.asked(DOWNLOAD) if one.status == 200]
    assert len(fetched) == len(set(fetched)), "nothing was fetched twice"


def wait_for(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + SECONDS_AN_HOUR
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.5)
    return True


def caught_up(desk: Desk) -> bool:
    """All that Align shows of this account is here, and it was asked for its list with success."""
    mine = [o for o in desk.align.truth()["orders"] if str(o["account_id"]) == desk.pairing.account_id]
    shown = {o["order_id"] for o in mine if o["order_id"] not in desk.in_stock.get("normal", [])}
    with in_lab(desk.lab.pk):
        rows = Revision.objects.of(desk.lab).filter(order__order_id__in=shown)
        here = {row.order.order_id for row in rows.select_related("order") if row.has_files}
        pushes = Notification.objects.of(desk.lab).filter(state=NotificationState.QUEUED).exists()
    return here == shown and not pushes and desk.pairing_now().failures == 0
