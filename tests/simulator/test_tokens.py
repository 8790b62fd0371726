"""Expiry, rotation, reuse, revocation."""

import pytest

from tests.simulator.launch import Simulator, Start
from tests.simulator.visitor import Assumed


def test_a_refresh_gives_a_new_set_and_the_new_one_works(simulator: Simulator, lab: Assumed) -> None:
    before = lab.tokens
    answer = lab.refresh(url=lab.endpoints["token"])
    assert answer.status_code == 200
    lab.keep(answer.json())
    assert lab.tokens.access != before.access
    assert lab.tokens.refresh != before.refresh
    assert lab.orders().status_code == 200


def test_a_refresh_token_used_twice_ends_its_whole_family(simulator: Simulator, lab: Assumed) -> None:
    used = lab.tokens.refresh
    before = simulator.truth()["tokens"]["reuse"]
    lab.keep(lab.refresh().json())
    assert lab.refresh(used).json()["error"] == "invalid_grant"
    assert lab.orders().status_code == 401
    assert lab.refresh().json()["error"] == "invalid_grant"
    assert simulator.truth()["tokens"]["reuse"] == before + 1


def test_one_family_ending_leaves_another_log_in_alone(simulator: Simulator, lab: Assumed) -> None:
    other = Assumed(simulator)
    other.connect()
    used = lab.tokens.refresh
    lab.refresh()
    lab.refresh(used)
    assert other.orders().status_code == 200


def test_within_its_grace_a_used_refresh_token_still_works(start_simulator: Start) -> None:
    simulator = start_simulator(refresh_grace=30)
    lab = Assumed(simulator)
    lab.log_in()
    assert lab.refresh().status_code == 200
    assert lab.refresh().status_code == 200
    simulator.advance_clock(31)
    assert lab.refresh().status_code == 400


def test_after_an_hour_discovery_and_orders_answer_401_and_a_refresh_helps(start_simulator: Start) -> None:
    simulator = start_simulator()
    lab = Assumed(simulator)
    lab.connect()
    simulator.advance_clock(3601)
    assert lab.discover().status_code == 401
    assert lab.orders().status_code == 401
    lab.keep(lab.refresh().json())
    assert lab.discover().status_code == 200


def test_the_lifetime_is_a_switch(start_simulator: Start) -> None:
    simulator = start_simulator(token_lifetime=90)
    lab = Assumed(simulator)
    lab.log_in()
    assert lab.tokens.lifetime == 90


@pytest.mark.parametrize(("revoke", "status"), [("token", 200), ("grant", 401)])
def test_revoking_the_first_set_hurts_the_pairing_only_when_it_ends_the_grant(
    start_simulator: Start, revoke: str, status: int
) -> None:
    lab = Assumed(start_simulator(revoke=revoke))
    lab.log_in()
    lab.discover()
    first = lab.tokens.refresh
    lab.keep(lab.pair().json())
    assert lab.revoke(first).status_code == 200
    assert lab.orders().status_code == status


def test_a_revoked_set_is_dead(simulator: Simulator, lab: Assumed) -> None:
    lab.revoke(lab.tokens.refresh)
    assert lab.orders().status_code == 401
    assert lab.refresh().json()["error"] == "invalid_grant"


def test_revoking_an_unknown_token_is_no_error(simulator: Simulator, lab: Assumed) -> None:
    assert lab.revoke("never issued").status_code == 200
