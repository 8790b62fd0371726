"""The disk changes one bit of a stored scan, and nothing tells: no door hands it out, and nobody has to ask."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from connector.lms.services import make_key
from connector.orders import guard, recheck, soundness
from connector.orders.models import Revision
from connector.orders.soundness import SoundStream
from labportal.labs.tenancy import in_lab
from tests.faults.findings import Findings
from tests.faults.recovery import recover
from tests.faults.verdict import Verdict
from tests.intake.desk import Desk, OpenDesk
from tests.orders.stored import rot

ORDERS = 3
BEHIND = 9  # a broken download goes on behind this byte


def come_in(desk: Desk, number: int = ORDERS) -> dict[str, bytes]:
    """Order ids with the zip that was stored."""
    orders = [desk.arrives() for _ in range(number)]
    desk.take_in()
    return {order_id: desk.zip_of(desk.revision(order_id)).read_bytes() for order_id in orders}


def rots(desk: Desk, order_id: str, seed: int) -> None:
    """Another place of the zip for each seed, its first and last bytes among them."""
    revision = desk.revision(order_id)
    rot(revision, at=((revision.size or 1) - 1) * (seed % 5) // 4)


def a_week_passes(desk: Desk) -> None:
    with in_lab(desk.lab.pk):
        Revision.objects.of(desk.lab).update(stored_at=timezone.now() - timedelta(days=8), checked_at=None)


def handed_out(desk: Desk, order_id: str, sound: bytes) -> Findings:
    """What page and REST give, in whole and behind a byte: an error, or the right bytes."""
    order, found = desk.order(order_id), Findings()
    with in_lab(desk.lab.pk):
        key = make_key(lab=desk.lab, name="LMS", by=None)[1]
    system = Client(headers={"Authorization": f"Bearer {key}"})
    zip_of = f"orders/{order.pk}/revisions/1/zip"
    for client, url in [(desk.browser, f"/cases/{zip_of.removeprefix('orders/')}"), (system, f"/api/v1/{zip_of}")]:
        for behind in (0, BEHIND):
            answer = client.get(url, headers={"Range": f"bytes={behind}-"} if behind else {})
            given = answer.getvalue() if answer.streaming else sound[behind:]
            found.count("wrong", f"{url} behind {behind}", given != sound[behind:])
    return found


@pytest.mark.cut
@pytest.mark.parametrize("opened", [True, False], ids=["opened before", "never opened"])
@pytest.mark.fault_case("bit rot", "a bit flips, and people and systems ask for the scan")
def test_no_door_hands_out_a_wrong_byte(open_desk: OpenDesk, verdict: Verdict, seeds: range, opened: bool) -> None:
    desk = open_desk(normal=ORDERS * len(seeds))
    for seed in seeds:
        zips = come_in(desk)
        bad = list(zips)[seed % ORDERS]
        if opened:
            assert handed_out(desk, bad, zips[bad]).bad == 0
        rots(desk, bad, seed)
        given = handed_out(desk, bad, zips[bad])
        recover(desk)
        verdict(desk, list(zips), also=given)
        assert handed_out(desk, bad, zips[bad]).bad == 0


@pytest.mark.cut
@pytest.mark.fault_case("bit rot", "a bit flips, and nobody asks")
def test_the_recheck_finds_it(
    open_desk: OpenDesk, verdict: Verdict, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recheck, "EVERY", timedelta(0))
    desk = open_desk(normal=ORDERS * len(seeds))
    for seed in seeds:
        zips = come_in(desk)
        rots(desk, list(zips)[seed % ORDERS], seed)
        a_week_passes(desk)
        recover(desk, rounds=3)
        recover(desk)
        assert verdict(desk, list(zips)).explained == 0


@pytest.mark.cut
@pytest.mark.fault_case("bit rot", "a bit flips in a scan that Align gives out once")
def test_what_align_has_no_more_is_told(
    open_desk: OpenDesk, verdict: Verdict, seeds: range, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recheck, "EVERY", timedelta(0))
    desk = open_desk(normal=ORDERS * len(seeds), second_download="gone")
    for seed in seeds:
        zips = come_in(desk)
        rots(desk, list(zips)[seed % ORDERS], seed)
        a_week_passes(desk)
        recover(desk, rounds=3)
        recover(desk)
        assert verdict(desk, list(zips)).explained == 1


@pytest.mark.fault_case("bit rot", "a bit flips, and people and systems ask, without the guard", control=True)
def test_control_without_the_guard(open_desk: OpenDesk, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    def unproved(self: SoundStream, number: int) -> bytes:
        self._file.seek(number * soundness.PIECE)
        return bytes(self._file.read(soundness.PIECE))

    desk = open_desk()
    (order_id, sound), *_ = come_in(desk).items()
    assert handed_out(desk, order_id, sound).bad == 0
    monkeypatch.setattr(guard, "_refuse_bad", lambda revision, code: None)
    monkeypatch.setattr(SoundStream, "_proved", unproved)
    rots(desk, order_id, 2)
    given = handed_out(desk, order_id, sound)
    assert given.wrong > 0
    verdict(desk, [], also=given)


@pytest.mark.fault_case("bit rot", "a bit flips, and nobody asks, without the sweep", control=True)
def test_control_without_the_recheck(open_desk: OpenDesk, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recheck, "turn", lambda: 0)
    desk = open_desk()
    zips = come_in(desk)
    rots(desk, next(iter(zips)), 2)
    a_week_passes(desk)
    recover(desk)
    verdict(desk, list(zips))
