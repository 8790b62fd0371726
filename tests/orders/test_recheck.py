"""Stored zips are hashed again by themselves, oldest look first, each by one worker, so many bytes a turn."""

from datetime import timedelta

import pytest
from django.utils import timezone

from connector.orders import recheck
from connector.orders.doctor_lines import lines
from connector.orders.models import Revision, RevisionState
from connector.orders.repair import Bad, repair, stored
from labportal.labs.tenancy import in_lab
from labportal.tick import tick
from tests.intake.desk import at_once, point_scans_at, work
from tests.orders.make import make_order, make_pairing
from tests.orders.stored import put_in_store, rot, zip_bytes

OLD = timedelta(days=8)


@pytest.fixture
def keep(committed, cast, settings, tmp_path):
    """A stored zip of a lab, last looked at so long ago."""
    point_scans_at(settings, tmp_path / "scans")

    def kept(lab, order_id, ago=OLD):
        revision = put_in_store(lab, make_order(lab, make_pairing(lab, order_id), order_id), tmp_path, zip_bytes())
        change(revision, state=RevisionState.READY, stored_at=timezone.now() - ago)
        return now(revision)

    return kept


def change(revision, **values):
    with in_lab(revision.lab_id):
        Revision.objects.of(revision.lab_id).filter(pk=revision.pk).update(**values)


def now(revision):
    with in_lab(revision.lab_id):
        return Revision.objects.of(revision.lab_id).get(pk=revision.pk)


def test_one_flipped_bit_is_found_without_anybody_asking(cast, keep):
    bad, good, young = keep(cast.lab_a, "1"), keep(cast.lab_b, "2"), keep(cast.lab_b, "3", timedelta(days=6))
    rot(bad)
    rot(young)
    tick()
    assert "connector.orders.tasks.recheck" in work(forgiving=True)
    assert (now(bad).state, now(bad).reason) == (RevisionState.RETRY, "damaged")
    assert now(good).checked_at > good.stored_at
    assert (now(good).state, now(good).lease_until) == (RevisionState.READY, None)
    assert now(good).pieces
    assert (now(young).state, now(young).checked_at) == (RevisionState.READY, None), "its time has not come"


def test_what_was_looked_at_lately_is_not_due(cast, keep):
    revision = keep(cast.lab_a, "1")
    assert recheck.turn() == 1
    tick()
    assert "connector.orders.tasks.recheck" not in work(forgiving=True)
    assert now(revision).has_files


def test_a_turn_ends_when_its_bytes_are_used_up_and_the_oldest_comes_first(cast, keep, monkeypatch):
    rows = [keep(cast.lab_a, str(number), OLD + timedelta(days=number)) for number in range(4)]
    monkeypatch.setattr(recheck, "BYTES_A_TURN", int(2.5 * len(zip_bytes())))
    assert recheck.turn() == 2
    assert [now(row).checked_at is not None for row in rows] == [False, False, True, True]
    assert recheck.turn() == 0, "a turn a minute, whoever asks"
    monkeypatch.setattr(recheck, "EVERY", timedelta(0))
    monkeypatch.setattr(recheck, "BYTES_A_TURN", 1)
    assert recheck.turn() == 1, "one at least"
    assert now(rows[1]).checked_at is not None


def test_two_workers_never_hash_the_same_zip(cast, keep, monkeypatch):
    for number in range(6):
        keep(cast.lab_a, str(number))
    looked = []
    monkeypatch.setattr(recheck, "EVERY", timedelta(0))
    monkeypatch.setattr(recheck, "look_after", lambda lab_id, revision_id: looked.append(revision_id))
    at_once(recheck.turn, recheck.turn)
    assert len(looked) == len(set(looked)) == 6


def test_a_worker_that_died_leaves_the_zip_due(cast, keep, monkeypatch):
    revision = keep(cast.lab_a, "1")
    change(revision, lease_until=timezone.now() + timedelta(minutes=5))
    monkeypatch.setattr(recheck, "EVERY", timedelta(0))
    assert recheck.turn() == 0
    change(revision, lease_until=timezone.now() - timedelta(seconds=1))
    assert recheck.turn() == 1
    assert now(revision).checked_at is not None


def test_a_store_that_is_not_mounted_is_not_taken_for_the_loss_of_all_scans(cast, keep, scans_gone, caplog):
    rows = [keep(cast.lab_a, "1"), keep(cast.lab_b, "2")]
    scans_gone()
    assert recheck.turn() == 2
    assert all(now(row).has_files and now(row).checked_at is None for row in rows)
    assert f"stored_file_missing revision {rows[0].pk}" in caplog.text
    assert [line.tone for line in lines()] == ["look"]


@pytest.fixture
def scans_gone(tmp_path):
    return lambda: (tmp_path / "scans").rename(tmp_path / "elsewhere")


def test_the_doctor_says_whether_each_zip_was_hashed_in_time(cast, keep, monkeypatch):
    keep(cast.lab_a, "1", timedelta(days=9))
    keep(cast.lab_b, "2", timedelta(days=7, hours=5))
    assert [(line.tone, line.found) for line in lines()] == [("look", "1 not hashed for 7 days")]
    recheck.turn()
    assert [line.tone for line in lines()] == ["ok"]


def test_a_scan_that_is_whole_again_by_then_is_left_alone(cast, keep):
    """Between the look and the repair somebody may have fetched it anew: then the row is another one."""
    revision = keep(cast.lab_a, "1")
    seen = stored(cast.lab_a.pk, revision.pk)
    assert seen is not None
    change(revision, stored_at=timezone.now())
    assert repair(Bad(seen, "changed")) is None
    assert now(revision).has_files
