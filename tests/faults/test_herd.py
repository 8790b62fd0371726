"""Forty connections stand still together while Align is away. When it is there again, they do not all ask at once.

Time is moved on a minute at a time, as the tick comes, so that the spread is the portal's own and not this machine's.
"""

import random
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from connector.pairing.models import Pairing, State
from connector.pairing.trouble import PAUSE_MAX
from labportal.labs.tenancy import in_lab
from labportal.tick import tick
from tests.align import again
from tests.faults.findings import Findings
from tests.faults.lines import LIST, OpenLine, Reach
from tests.faults.recovery import recover
from tests.faults.test_outage import time_passes
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, work
from tests.line.answers import scripted
from tests.line.toxics import Instead

PAIRINGS = 40
# A fifth of an hour's jitter spreads them over twelve minutes, three or four in each. Fourteen in one of them is a
# chance of one in a million; without jitter all forty are in one.
MOST_IN_A_MINUTE = 13
FAILURES = 9  # until the pause has grown to its longest
LONGEST = timedelta(seconds=PAUSE_MAX * 1.2)
SILENT, MINUTE, DAY = timedelta(minutes=57), timedelta(minutes=1), timedelta(days=1)
TURNS = 20 * PAIRINGS


def crowd(desk: Desk) -> None:
    """More connections of the lab, with the first one's tokens: Align answers each."""
    first = again(desk.pairing)
    with in_lab(desk.lab.pk):
        for number in range(PAIRINGS - 1):
            pairing = Pairing(
                lab=desk.lab, account_id=f"9{number}", account_name="Crowd", state=State.ACTIVE, next_due=timezone.now()
            )
            pairing.endpoints, pairing.region = first.endpoints, first.region
            pairing.set_tokens(first.tokens, timezone.now() + DAY * 30)
            pairing.save()


def stand_still(reach: Reach) -> None:
    """All ask and are refused at the same moments, until each waits the longest; then Align is well again."""
    reach.line.add(Instead(answer=scripted(503)))
    for _ in range(FAILURES):
        time_passes([reach.desk], step=LONGEST + MINUTE)
        turn()
    with in_lab(reach.desk.lab.pk):
        waiting = Pairing.objects.of(reach.desk.lab).filter(paused_until__gt=timezone.now() + SILENT)
        assert waiting.count() == PAIRINGS
        Pairing.objects.of(reach.desk.lab).update(poll_seconds=DAY.total_seconds())  # the first call alone is counted
    reach.heal()


def turn() -> None:
    tick()
    work(forgiving=True, rounds=TURNS)


def calls_by_minute(reach: Reach) -> list[int]:
    """How many lists were asked for in each minute, until every connection has been answered; the long time first in
    which none may ask is one step."""
    calls: list[int] = []
    for step in (SILENT, *[MINUTE] * int((LONGEST - SILENT) / MINUTE + 2)):
        before = len(reach.line.asked(LIST))
        time_passes([reach.desk], step=step)
        turn()
        calls.append(len(reach.line.asked(LIST)) - before)
        if not still_refused(reach.desk.lab.pk):
            return calls
    raise AssertionError(f"not all have asked again: {calls}")


def still_refused(lab_id: UUID) -> bool:
    with in_lab(lab_id):
        return Pairing.objects.of(lab_id).filter(failures__gt=0).exists()


def come_back(reach: Reach) -> Findings:
    """Those beyond the limit in the fullest minute are calls that nobody wants."""
    crowd(reach.desk)
    stand_still(reach)
    calls, found = calls_by_minute(reach), Findings()
    assert (calls[0], sum(calls)) == (0, PAIRINGS), calls
    found.count("unwanted", f"{max(calls)} at once: {calls}", max(calls) - MOST_IN_A_MINUTE)
    with in_lab(reach.desk.lab.pk):  # what is one account at Align is one connection again
        Pairing.objects.of(reach.desk.lab).exclude(pk=reach.desk.pairing.pk).update(state=State.UNPAIRED)
    reach.desk.arrives()
    recover(reach.desk)
    return found


@pytest.mark.fault_case("outage", "forty connections come back: thirteen first calls in a minute at most")
def test_connections_that_stood_still_together_do_not_come_back_at_once(open_line: OpenLine, verdict: Verdict) -> None:
    reach = open_line(token_lifetime=DAY.total_seconds() * 30)
    found = come_back(reach)
    verdict(reach.desk, also=found)


@pytest.mark.fault_case("outage", "forty connections come back, without jitter", control=True)
def test_without_jitter_they_do(open_line: OpenLine, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda low, high: 1.0)
    reach = open_line(token_lifetime=DAY.total_seconds() * 30)
    found = come_back(reach)
    assert found.unwanted == PAIRINGS - MOST_IN_A_MINUTE
    verdict(reach.desk, also=found)
