"""What a key may do, for whose cases, from where, how long; and its successor."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from connector.lms.models import READ_FILES, READ_ORDERS, ApiKey
from connector.lms.services import KeyRefused, Limits, make_key, revoke_key, rotate_key
from labportal.labs.tenancy import in_lab
from tests.lms.conftest import with_key
from tests.lms.stored import stored_case
from tests.orders.make import make_order, make_pairing

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def made(cast, **limits):
    return make_key(lab=cast.lab_a, name="LMS", by=cast.anna, limits=Limits(**limits))


def status(text, path="/api/v1/orders", **options):
    answer = with_key(text)(path, **options)
    if answer.streaming:
        b"".join(answer.streaming_content)  # to its end, where the file is closed
    return answer.status_code


def again(key):
    with in_lab(key.lab_id):
        return ApiKey.objects.of(key.lab_id).get(pk=key.pk)


# --- what


def test_a_key_for_orders_alone_downloads_nothing_and_the_other_way_round(cast, scans_dir):
    zip_path = stored_case(cast.lab_a, scans_dir).zip_url
    orders_only, files_only = made(cast, scopes=[READ_ORDERS])[1], made(cast, scopes=[READ_FILES])[1]
    assert (status(orders_only), status(orders_only, zip_path)) == (200, 403)
    assert (status(files_only), status(files_only, zip_path)) == (403, 200)


# --- whose cases


@pytest.fixture
def two_accounts(cast):
    """An order of each of lab A's two pairings, and a key for the first alone."""
    mine, other = make_pairing(cast.lab_a, account_id="1"), make_pairing(cast.lab_a, account_id="2")
    orders = [make_order(cast.lab_a, pairing, number) for pairing, number in ((mine, "111"), (other, "222"))]
    return *orders, made(cast, pairings=[mine.pk])[1]


def test_a_narrow_key_sees_the_cases_of_its_pairings_only(two_accounts):
    mine, _, text = two_accounts
    items = with_key(text)("/api/v1/orders").json()["items"]
    assert [item["order_id"] for item in items] == ["111"]
    assert status(text, f"/api/v1/orders/{mine.pk}") == 200


def test_a_case_of_another_pairing_answers_a_narrow_key_like_a_missing_one(two_accounts):
    _, other, text = two_accounts
    missing = with_key(text)("/api/v1/orders/00000000-0000-4000-8000-000000000000")
    hidden = with_key(text)(f"/api/v1/orders/{other.pk}")
    assert hidden.status_code == 404
    assert (dict(hidden.headers), hidden.content) == (dict(missing.headers), missing.content)


def test_a_narrow_key_is_no_wider_in_an_owners_browser(two_accounts, cast, client_of):
    _, other, text = two_accounts
    asked = client_of(cast.anna).get(f"/api/v1/orders/{other.pk}", headers={"Authorization": f"Bearer {text}"})
    assert asked.status_code == 404


def test_a_key_for_no_pairing_sees_nothing(two_accounts, cast):
    text = made(cast, pairings=[])[1]
    assert with_key(text)("/api/v1/orders").json()["items"] == []


def test_a_key_for_all_sees_both(two_accounts, cast):
    """The control."""
    assert len(with_key(made(cast)[1])("/api/v1/orders").json()["items"]) == 2


# --- from where


@pytest.mark.parametrize(
    ("address", "want"),
    [("203.0.113.7", 200), ("::ffff:203.0.113.7", 200), ("2001:db8::5", 200), ("203.0.114.7", 403), ("127.0.0.1", 403)],
)
def test_a_key_with_networks_works_from_there_only(cast, address, want):
    text = made(cast, networks=["203.0.113.0/24", "2001:db8::/64"])[1]
    assert status(text, REMOTE_ADDR=address) == want


def test_the_refusal_says_why_and_does_not_count_as_use(cast):
    key, text = made(cast, networks=["203.0.113.0/24"])
    answer = with_key(text)("/api/v1/orders")
    assert (answer.json()["code"], "API keys" in answer.json()["detail"]) == ("network", True)
    assert again(key).last_used_at is None


def test_a_visitor_cannot_say_himself_from_where_he_comes(cast):
    text = made(cast, networks=["203.0.113.0/24"])[1]
    assert status(text, headers={"X-Forwarded-For": "203.0.113.7"}) == 403


def test_behind_a_proxy_its_word_counts(cast, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    text = made(cast, networks=["203.0.113.0/24"])[1]
    assert status(text, headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"}) == 200
    assert status(text, headers={"X-Forwarded-For": "203.0.113.7, 6.6.6.6"}) == 403


# --- its successor


def test_both_keys_work_until_the_old_one_ends(cast):
    key, old = made(cast)
    _, new = rotate_key(key=key, by=cast.anna, grace=WEEK)
    assert (status(old), status(new)) == (200, 200)
    with in_lab(cast.lab_a.pk):
        ApiKey.objects.of(cast.lab_a).filter(pk=key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert (status(old), status(new)) == (401, 200)


def test_without_grace_the_old_key_ends_at_once(cast):
    key, old = made(cast)
    _, new = rotate_key(key=key, by=cast.anna, grace=timedelta(0))
    assert (status(old), status(new)) == (401, 200)


def test_the_successor_has_the_same_limits_and_as_long_a_life(cast):
    pairing = make_pairing(cast.lab_a)
    ends = timezone.now() + timedelta(days=90)
    key, _ = made(cast, scopes=[READ_ORDERS], pairings=[pairing.pk], networks=["203.0.113.0/24"], expires_at=ends)
    new, _ = rotate_key(key=key, by=cast.anna, grace=WEEK)
    assert (new.scopes, new.pairings, new.networks) == ([READ_ORDERS], [pairing.pk], ["203.0.113.0/24"])
    assert new.expires_at is not None
    assert abs(new.expires_at - ends) < timedelta(minutes=1)
    assert again(key).expires_at <= timezone.now() + WEEK


def test_the_grace_never_makes_a_key_live_longer(cast):
    ends = timezone.now() + timedelta(days=2)
    key, _ = made(cast, expires_at=ends)
    rotate_key(key=key, by=cast.anna, grace=WEEK)
    assert again(key).expires_at == ends


def test_no_more_than_two_keys_of_a_line_are_live(cast):
    first, one = made(cast)
    second, two = rotate_key(key=first, by=cast.anna, grace=WEEK)
    _, three = rotate_key(key=second, by=cast.anna, grace=WEEK)
    assert [status(text) for text in (one, two, three)] == [401, 200, 200]


def test_a_key_is_replaced_once(cast):
    key, _ = made(cast)
    rotate_key(key=key, by=cast.anna, grace=WEEK)
    with pytest.raises(KeyRefused, match="replaced_already"):
        rotate_key(key=key, by=cast.anna, grace=WEEK)


def test_a_key_that_ended_has_no_successor(cast):
    key, _ = made(cast)
    revoke_key(key=key)
    with pytest.raises(KeyRefused, match="not_live"):
        rotate_key(key=key, by=cast.anna, grace=WEEK)


def test_the_database_refuses_a_second_successor_and_one_of_another_lab(cast):
    key, _ = made(cast)
    rotate_key(key=key, by=cast.anna, grace=WEEK)
    row = {"name": "x", "prefix": "x", "replaces": key}
    with pytest.raises(IntegrityError), transaction.atomic(), in_lab(cast.lab_a.pk):
        ApiKey.objects.create(lab=cast.lab_a, key_hash="1", **row)
    with pytest.raises(IntegrityError), transaction.atomic(), in_lab(cast.lab_b.pk):
        _insert_at_once(cast.lab_b, row)


def _insert_at_once(lab, row):
    """Checked now, not at the end of the transaction."""
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    ApiKey.objects.create(lab=lab, key_hash="2", **row)
