"""Refresh Token in one place: once for all workers, before the end, durable before use, and never prevented by
Discovery."""

from concurrent.futures import Future
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from connector import itero
from connector.intake.models import SyncRun
from connector.itero.errors import VendorUnavailable
from connector.pairing import access, vendor
from connector.pairing.access import Access, PairingStopped, access_for, call, refresh
from connector.pairing.models import Pairing, State
from labportal.labs.tenancy import in_lab
from tests.align import account, again, calls_in_order, change, let_pass, pair_lab
from tests.pairing.at_once import at_once

WORKERS = 8
ASSUMED = Path(itero.__file__).parent / "profiles" / "assumed.toml"


def use(pairing: Pairing) -> str:
    """A call of a worker; the access token that it used."""
    return call(pairing.lab_id, pairing.pk, ask)


def ask(align: Access) -> str:
    list(align.client.get_orders(align.endpoints, access_token=align.access_token))
    return align.access_token


def eight_workers(pairing: Pairing) -> list[Future[str]]:
    return at_once(*[partial(use, pairing)] * WORKERS)


def test_eight_workers_refresh_once_and_all_can_work(paired, align):
    let_pass(align, paired)
    align.fault(call="refresh", latency=0.3)
    used = {done.result() for done in eight_workers(paired)}
    truth = align.truth()
    assert used == {again(paired).tokens.access_token}
    assert truth["tokens"]["refreshed"] == truth["calls"]["refresh"] == 1
    assert truth["tokens"]["reuse"] == 0


def test_without_the_row_lock_the_same_eight_workers_lose_the_pairing(paired, align, monkeypatch):
    """The control of the test above: it is the lock that makes the difference."""

    def unlocked(lab_id, pairing_id):
        return Pairing.objects.of(lab_id).get(pk=pairing_id)

    monkeypatch.setattr(access, "_locked", unlocked)
    let_pass(align, paired)
    align.fault(call="refresh", latency=0.3, times=0)
    failed = [done for done in eight_workers(paired) if done.exception()]
    assert align.truth()["tokens"]["reuse"] >= 1
    assert align.truth()["tokens"]["families_ended"] == 1
    assert failed


@pytest.mark.parametrize(("minutes_left", "refreshes"), [(6, 0), (4, 1)])
def test_a_token_is_renewed_five_minutes_before_its_end(paired, align, minutes_left, refreshes):
    let_pass(align, paired, 3600 - minutes_left * 60)
    use(paired)
    assert calls_in_order(align).count("refresh") == refreshes


def test_discovery_is_asked_before_each_refresh(paired, align):
    let_pass(align, paired, 3400)
    use(paired)
    assert calls_in_order(align)[-3:] == ["discovery", "refresh", "orders"]


def test_a_night_off_is_survived_although_discovery_refuses_the_old_token(paired, align):
    let_pass(align, paired)
    use(paired)
    assert again(paired).state == State.ACTIVE
    assert align.truth()["tokens"]["reuse"] == 0


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 403}, {"html": True}, {"half_json": True}])
def test_discovery_never_prevents_a_refresh(paired, align, fault):
    let_pass(align, paired, 3400)
    align.fault(call="discovery", **fault)
    use(paired)
    assert calls_in_order(align).count("refresh") == 1


def test_the_new_set_is_committed_before_the_new_token_is_used(paired, align):
    let_pass(align, paired)
    stored = []

    def look_from_elsewhere(given: Access) -> None:
        [seen] = at_once(lambda: again(paired).tokens.access_token)
        stored.append((given.access_token, seen.result()))

    call(paired.lab_id, paired.pk, look_from_elsewhere)
    [(used, committed)] = stored
    assert used == committed != paired.tokens.access_token


def test_a_refresh_refuses_to_run_inside_another_transaction(paired, align):
    """There the new set could be rolled back after Align had ended the old one."""
    let_pass(align, paired)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        refresh(paired.lab_id, paired.pk)
    assert calls_in_order(align).count("refresh") == 0


def test_the_stored_end_is_that_of_the_new_token(paired, align):
    let_pass(align, paired)
    use(paired)
    ends = again(paired).access_expires_at
    assert ends is not None
    assert timedelta(minutes=58) < ends - timezone.now() <= timedelta(hours=1)


def test_what_others_write_while_align_answers_is_kept(paired, align):
    let_pass(align, paired)
    align.fault(call="refresh", latency=0.4)
    due = timezone.now() + timedelta(hours=3)
    for done in at_once(lambda: use(paired), lambda: change(paired, next_due=due)):
        done.result()
    assert again(paired).next_due == due


def test_a_row_that_points_at_the_pairing_can_be_added_while_align_answers(paired, align):
    """A run or an order is written by workers that do not wait for the refresh."""
    let_pass(align, paired)
    align.fault(call="refresh", latency=1.5)

    def add_run() -> None:
        while calls_in_order(align).count("refresh") < 1 and calls_in_order(align)[-1] != "discovery":
            pass  # until the lock is held
        with in_lab(paired.lab_id):
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '300ms'")
            SyncRun.objects.create(lab_id=paired.lab_id, pairing=paired, kind="poll")

    for done in at_once(lambda: use(paired), add_run):
        done.result()


# --- what a refresh that fails means


def test_a_sign_in_that_align_ended_waits_for_a_person(paired, align):
    vendor.client().revoke_token(paired.vendor_endpoints, token=paired.tokens.refresh_token)
    let_pass(align, paired)
    with pytest.raises(PairingStopped, match="invalid_grant"):
        use(paired)
    after = again(paired)
    assert (after.state, after.reason) == (State.NEEDS_PAIRING, "invalid_grant")
    assert calls_in_order(align).count("orders") == 0


def test_a_stopped_pairing_asks_align_nothing(paired, align):
    change(paired, state=State.NEEDS_PAIRING, reason="invalid_grant")
    before = calls_in_order(align)
    with pytest.raises(PairingStopped, match="invalid_grant"):
        use(paired)
    assert calls_in_order(align) == before


def test_trouble_at_the_token_address_pauses_the_pairing_and_passes(paired, align):
    let_pass(align, paired)
    align.fault(call="refresh", status=503, retry_after="90")
    now = timezone.now()
    with pytest.raises(VendorUnavailable):
        access_for(paired.lab_id, paired.pk)
    after = again(paired)
    assert (after.state, after.reason, after.failures) == (State.ACTIVE, "vendor_unavailable", 1)
    assert after.paused_until is not None
    assert timedelta(seconds=89) < after.paused_until - now < timedelta(seconds=120)
    use(paired)


def test_a_wrong_client_secret_pauses_the_pairing_and_gives_up_no_sign_in(paired, align, settings):
    let_pass(align, paired)
    settings.ITERO_CLIENT_SECRET = "wrong"
    vendor.client.cache_clear()
    with pytest.raises(PairingStopped, match="invalid_client"):
        use(paired)
    assert (again(paired).state, again(paired).reason) == (State.ACTIVE, "invalid_client")
    settings.ITERO_CLIENT_SECRET = "demo-secret"
    vendor.client.cache_clear()
    use(paired)


def test_an_answer_lost_on_the_way_stops_the_pairing_when_the_vendor_grants_no_grace(paired, align):
    """The set was rotated and nobody has the new one: only a person can sign in again."""
    let_pass(align, paired)
    align.fault(call="refresh", reset_at=0.0)
    with pytest.raises(Exception, match="connection_lost"):
        use(paired)
    with pytest.raises(PairingStopped, match="invalid_grant"):
        use(paired)
    assert again(paired).state == State.NEEDS_PAIRING


def test_an_answer_lost_on_the_way_is_asked_for_again_when_the_vendor_grants_grace(
    anna, start_align, settings, tmp_path
):
    align = start_align(refresh_grace=60)
    own = tmp_path / "graceful.toml"
    own.write_text(ASSUMED.read_text().replace("refresh_grace = false", "refresh_grace = true"))
    settings.ITERO_PROFILE = str(own)
    vendor.client.cache_clear()
    vendor.profile.cache_clear()
    pairing = pair_lab(anna, align)
    let_pass(align, pairing)
    align.fault(call="refresh", reset_at=0.0)
    use(pairing)
    assert again(pairing).state == State.ACTIVE


# --- the region


def test_an_account_that_moved_goes_on_at_its_new_region(paired, align):
    assert again(paired).region == "eu"
    align.tell("region", {"accountId": 479, "region": "us"})
    use(paired)
    assert again(paired).region == "us"
    assert "/us/" in again(paired).endpoints["urls"]["orders"]


def test_an_account_that_moved_over_night_is_found_in_the_same_call(paired, align):
    """The token address of the old region, and Discovery for want of a token, both refuse at first."""
    align.tell("region", {"accountId": 479, "region": "us"})
    let_pass(align, paired)
    use(paired)
    assert (again(paired).region, again(paired).state) == ("us", State.ACTIVE)
    assert account(align)["region"] == "us"


def test_an_account_that_moved_is_found_when_the_old_regions_gateway_answers_with_a_page(paired, align):
    align.tell("region", {"accountId": 479, "region": "us"})
    align.fault(call="orders", html=True)
    use(paired)
    assert (again(paired).region, again(paired).state) == ("us", State.ACTIVE)


def test_over_night_the_old_regions_page_does_not_prevent_the_refresh(paired, align):
    align.tell("region", {"accountId": 479, "region": "us"})
    align.fault(call="refresh", html=True)
    let_pass(align, paired)
    use(paired)
    assert (again(paired).region, again(paired).state) == ("us", State.ACTIVE)


def test_addresses_that_left_our_list_are_asked_for_anew(paired, align):
    """The operator changed the server values; the stored addresses are not called any more."""
    gone = {name: url.replace("127.0.0.1", "old.align.example") for name, url in paired.endpoints["urls"].items()}
    change(paired, endpoints={"region": "eu", "urls": gone})
    let_pass(align, paired)
    use(paired)
    assert again(paired).endpoints == paired.endpoints
