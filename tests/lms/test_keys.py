"""Who may take orders out: a live key of the lab, and nothing else."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from connector.lms.authentication import KeyThrottle
from connector.lms.key_text import is_well_formed, key_hash, new_key_text
from connector.lms.models import ApiKey
from connector.lms.services import Limits, make_key, revoke_key
from labportal.labs.models import LabQuerySet
from labportal.labs.tenancy import in_lab
from tests.lms.conftest import with_key
from tests.orders.make import make_order, make_pairing

pytestmark = pytest.mark.django_db


def whole(answer):
    return answer.status_code, dict(answer.headers), answer.content


def test_every_key_that_does_not_serve_gets_the_same_answer(cast):
    revoked, revoked_text = make_key(lab=cast.lab_a, name="old", by=None)
    revoke_key(key=revoked)
    ended = Limits(expires_at=timezone.now() - timedelta(seconds=1))
    expired_text = make_key(lab=cast.lab_a, name="e", by=None, limits=ended)[1]
    wrong = [new_key_text(), revoked_text, expired_text, revoked_text[:-1] + "_", "", "lp_", "ü", "x" * 5000]
    answers = [whole(with_key(text)("/api/v1/orders")) for text in wrong]
    answers.append(whole(Client().get("/api/v1/orders")))
    answers.append(whole(Client().get("/api/v1/orders", headers={"Authorization": "Basic YTpi"})))
    assert all(answer == answers[0] for answer in answers)
    status, headers, body = answers[0]
    assert status == 401
    assert headers["WWW-Authenticate"] == "Bearer"
    assert headers["Content-Type"] == "application/problem+json"
    assert b"Authorization: Bearer" in body


def test_a_signed_in_person_is_not_accepted_without_a_key(cast, client_of):
    make_order(cast.lab_a, make_pairing(cast.lab_a), "111222333")
    answer = client_of(cast.anna).get("/api/v1/orders")
    assert answer.status_code == 401
    assert b"111222333" not in answer.content


def test_the_key_decides_whose_orders_come_whoever_is_signed_in(cast, client_of):
    make_order(cast.lab_a, make_pairing(cast.lab_a), "111222333")
    text = make_key(lab=cast.lab_b, name="LMS", by=None)[1]
    answer = client_of(cast.anna).get("/api/v1/orders", headers={"Authorization": f"Bearer {text}"})
    assert answer.json()["items"] == []


def test_a_key_that_was_revoked_ends_at_once(cast):
    key, text = make_key(lab=cast.lab_a, name="LMS", by=None)
    assert with_key(text)("/api/v1/orders").status_code == 200
    revoke_key(key=key)
    assert with_key(text)("/api/v1/orders").status_code == 401


def test_a_key_without_the_scope_is_told_so(cast):
    text = make_key(lab=cast.lab_a, name="LMS", by=None, limits=Limits(scopes=["nothing"]))[1]
    answer = with_key(text)("/api/v1/orders")
    assert (answer.status_code, answer.json()["code"]) == (403, "scope")


def test_a_key_that_asks_too_often_is_told_when_to_come_again(cast, lms_a, lms_b, monkeypatch):
    monkeypatch.setattr(KeyThrottle, "per_minute", 3)
    monkeypatch.setattr("connector.lms.authentication.time", lambda: 1_000_000_030.0)
    answers = [lms_a("/api/v1/orders") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    assert answers[3]["Content-Type"] == "application/problem+json"
    assert lms_b("/api/v1/orders").status_code == 200


def test_the_use_of_a_key_is_noted(cast):
    key, text = make_key(lab=cast.lab_a, name="LMS", by=None)
    with_key(text)("/api/v1/orders")
    with in_lab(cast.lab_a.pk):
        assert ApiKey.objects.of(cast.lab_a).get(pk=key.pk).last_used_at is not None


def test_a_foreign_order_answers_like_a_missing_one_byte_for_byte(cast, lms_b):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a))
    paths = ["/api/v1/orders/{}", "/api/v1/orders/{}/revisions/1/zip", "/api/v1/orders/{0}/files/{0}"]
    for path in paths:
        foreign = lms_b(path.format(order.pk))
        assert foreign.status_code == 404
        assert whole(foreign) == whole(lms_b(path.format("00000000-0000-4000-8000-000000000000")))
        assert whole(foreign) == whole(lms_b(path.format("no-id")))


def test_the_database_keeps_labs_apart_even_where_a_query_forgets_to(cast, lms_a, lms_b, monkeypatch):
    order = make_order(cast.lab_a, make_pairing(cast.lab_a))
    monkeypatch.setattr(LabQuerySet, "of", lambda rows, lab: rows.all())
    assert len(lms_a("/api/v1/orders").json()["items"]) == 1
    assert lms_b("/api/v1/orders").json()["items"] == []
    assert lms_b(f"/api/v1/orders/{order.pk}").status_code == 404


def test_keys_themselves_are_one_labs_rows(cast, lms_a):
    assert ApiKey.objects.count() == 0
    with in_lab(cast.lab_b.pk):
        assert ApiKey.objects.count() == 0
    with in_lab(cast.lab_a.pk):
        assert ApiKey.objects.count() == 1


def test_a_person_may_not_read_a_key_by_its_hash_before_a_lab_is_known(cast):
    key, text = make_key(lab=cast.lab_a, name="LMS", by=None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM resolve.api_key(%s)", [key_hash(text)])
        assert cursor.fetchall() == [(cast.lab_a.pk, key.pk)]
        cursor.execute("SELECT * FROM resolve.api_key(%s)", [key_hash(text).upper()])
        assert cursor.fetchall() == []


def test_only_the_hash_of_a_key_is_kept(cast):
    key, text = make_key(lab=cast.lab_a, name="LMS", by=None)
    assert key.key_hash == key_hash(text)
    with in_lab(cast.lab_a.pk):
        kept = str(list(ApiKey.objects.of(cast.lab_a).values()))
    assert text not in kept
    assert text.split("_")[2][:10] not in kept


def test_a_mistyped_key_is_known_by_its_checksum():
    text = new_key_text()
    other = "a" if text[20] != "a" else "b"
    assert is_well_formed(text)
    assert not is_well_formed(text[:20] + other + text[21:])
    assert not is_well_formed(text + "\n")
