"""The address for notifications: each Pair tells Align a fresh one, kept as a hash; whichever Align has works."""

from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from connector.pairing import connect
from connector.pairing.callbacks import TOLD_KEPT, callback_hash, callback_url, note_taken
from connector.pairing.models import Pairing, State
from connector.pairing.reservation import reserve
from connector.pairing.trouble import lock
from labportal.labs.tenancy import in_lab
from tests.align import again, callback_secret, change, come_back, log_in, pair_lab, start_connecting
from tests.pairing.at_once import at_once

LOST_ANSWERS = ({"half_json": True}, {"html": True}, {"reset_at": 0.0})


def push(secret: str) -> int:
    """As Align sends one; the answer's status."""
    url = reverse("notify", args=[secret])
    return Client().post(url, {"rxId": "rx-1"}, content_type="application/json").status_code


def reconnect(client, pairing):
    assert come_back(client, log_in(start_connecting(client, pairing))) == "/connections/"


def crash(client, pairing, monkeypatch):
    """The process dies after Align has answered Pair, before we note it."""

    def die(*_):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(connect, "_store", die)
        with pytest.raises(SystemExit):
            reconnect(client, pairing)


def told(pairing: Pairing) -> tuple[Pairing, str]:
    """A Pair that is under way: the row as it stood when it was reserved, and the secret it tells."""
    with in_lab(pairing.lab_id):
        return reserve(pairing.lab, pairing.account_id, pairing.account_name)


def answered(reserved: Pairing) -> None:
    with in_lab(reserved.lab_id):
        row = lock(reserved.lab_id, reserved.pk)
        note_taken(row, reserved)
        row.save()


def test_pair_tells_a_fresh_address_and_the_one_before_is_over(anna, paired, align):
    before = callback_secret(align)
    assert push(before) == 202
    reconnect(anna, paired)
    after = callback_secret(align)
    assert after != before
    assert (push(before), push(after)) == (404, 202)


def test_only_hashes_are_kept(anna, paired, align, monkeypatch):
    crash(anna, paired, monkeypatch)
    row = again(paired)
    assert row.told_callback_hashes == [callback_hash(callback_secret(align))]
    assert callback_secret(align) not in str(vars(row))
    assert not [field.name for field in Pairing._meta.fields if field.name.startswith("sealed_callback")]


@pytest.mark.parametrize("status", [400, 403, 500])
def test_after_a_pair_that_align_refused_the_address_of_before_works(anna, paired, align, status):
    before = callback_secret(align)
    align.fault(call="pair", status=status)
    reconnect(anna, paired)
    assert callback_secret(align) == before
    assert push(before) == 202


@pytest.mark.parametrize("fault", LOST_ANSWERS)
def test_after_an_answer_that_was_lost_both_addresses_work_until_the_next_pair(anna, paired, align, fault):
    before = callback_secret(align)
    align.fault(call="pair", **fault)
    reconnect(anna, paired)
    assert (push(before), push(callback_secret(align))) == (202, 202)
    lost = callback_secret(align)
    reconnect(anna, paired)
    assert push(callback_secret(align)) == 202
    assert push(before) == 404
    assert lost == before or push(lost) == 404


def test_after_a_crash_between_aligns_taking_it_and_our_note_both_work(anna, paired, align, monkeypatch):
    before = callback_secret(align)
    crash(anna, paired, monkeypatch)
    assert callback_secret(align) != before
    assert (push(before), push(callback_secret(align))) == (202, 202)


def test_the_next_pair_ends_all_that_crashes_and_refusals_left(anna, paired, align, monkeypatch):
    old = [callback_secret(align)]
    for _ in range(2):
        crash(anna, paired, monkeypatch)
        old.append(callback_secret(align))
    align.fault(call="pair", status=500)
    reconnect(anna, paired)
    assert {push(secret) for secret in old} == {202}
    reconnect(anna, paired)
    assert len(set(old)) == 3
    assert {push(secret) for secret in old} == {404}
    assert push(callback_secret(align)) == 202
    assert again(paired).told_callback_hashes == []


def test_a_crash_at_the_first_pair_leaves_an_address_that_works(anna, align, monkeypatch):
    page = come_back(anna, log_in(start_connecting(anna)))
    with monkeypatch.context() as patched:
        patched.setattr(connect, "_store", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            anna.post(page, {"account": "479", "fetch_mode": "full"})
    assert push(callback_secret(align)) == 202


# --- two Pairs at once: nobody here knows whose address Align took last


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_pairs_at_once_both_addresses_work_whoever_is_noted_last(paired, align, order):
    before = callback_secret(align)
    pairs = [told(paired), told(paired)]
    for place in order:
        answered(pairs[place][0])
    assert {push(secret) for _, secret in pairs} == {202}
    assert push(before) == 404
    last, secret = told(paired)
    answered(last)
    assert (push(secret), {push(other) for _, other in pairs}) == (202, {404})


def test_a_double_click_leaves_the_address_that_align_has(anna, align):
    page = come_back(anna, log_in(start_connecting(anna)))
    align.fault(call="pair", latency=0.3)
    form = {"account": "479", "fetch_mode": "full"}
    for done in at_once(lambda: anna.post(page, form), lambda: anna.post(page, form)):
        assert done.result().status_code in {302, 404}
    assert push(callback_secret(align)) == 202


# --- how many, and when none


def test_the_row_does_not_grow_and_the_address_in_force_stays(paired, align):
    before = callback_secret(align)
    secrets = [told(paired)[1] for _ in range(TOLD_KEPT + 3)]
    assert len(again(paired).told_callback_hashes) == TOLD_KEPT
    assert push(before) == 202
    assert [push(secret) for secret in secrets] == [404] * 3 + [202] * TOLD_KEPT


def test_an_ended_connection_has_no_address_whatever_its_row_says(paired, align):
    _, fresh = told(paired)
    change(paired, state=State.UNPAIRED)
    assert (push(callback_secret(align)), push(fresh)) == (404, 404)


def test_no_hash_is_nobodys(paired):
    change(paired, callback_hash="", told_callback_hashes=[])
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM resolve.callback('')")
        assert cursor.fetchone() is None


def test_an_address_of_another_lab_is_not_touched(anna, bruno, align):
    mine, theirs = pair_lab(anna, align, "479"), pair_lab(bruno, align, "512")
    secret = callback_secret(align, "512")
    reconnect(anna, mine)
    assert again(theirs).callback_hash == callback_hash(secret)
    assert push(secret) == 202


def test_the_address_is_ours(align, paired, settings):
    address = urlsplit(callback_url(callback_secret(align)))
    assert f"{address.scheme}://{address.netloc}" == settings.BASE_URL
