"""What is recorded, by whom, and when it is written."""

import threading
import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from connector.orders.models import Order
from labportal.audit.context import Actor, acting
from labportal.audit.middleware import AuditMiddleware
from labportal.audit.models import Entry
from labportal.audit.services import WITHHELD, collected, record, record_once, record_refusal
from labportal.audit.verify import verify
from labportal.labs.tenancy import in_lab
from tests.audit.conftest import Since
from tests.cast import Cast


def test_an_entry_says_who_did_what_to_which_and_from_where(cast: Cast, since: Since) -> None:
    person, order = uuid.uuid4(), Order(pk=uuid.uuid4())
    with acting(Actor("person", person)) as door:
        door.ip = "203.0.113.9"
        record("case.viewed", lab_id=cast.lab_a.pk, target=order, revision=2, page="case")
    (entry,) = since(cast.lab_a.pk)
    assert (entry.actor_kind, entry.actor_id, entry.ip) == ("person", person, "203.0.113.9")
    assert (entry.action, entry.object_type, entry.object_id) == ("case.viewed", "orders.order", str(order.pk))
    assert entry.details == {"page": "case", "revision": 2}


def test_without_a_lab_it_stands_in_the_installations_chain(cast: Cast, since: Since) -> None:
    record("backup.made", lab_id=None)
    assert [entry.action for entry in since(None)] == ["backup.made"]
    assert since(cast.lab_a.pk) == []


def test_without_a_door_the_system_acts(since: Since) -> None:
    record("backup.made", lab_id=None)
    assert since(None)[0].actor_kind == "system"


@pytest.mark.parametrize("name", ["Doe, John", "ZZCANARY Jane", "Müller", "x" * 81, "a\nb"])
def test_what_may_be_a_name_is_withheld(cast: Cast, since: Since, name: str) -> None:
    record("case.viewed", lab_id=cast.lab_a.pk, order=name)
    assert since(cast.lab_a.pk)[0].details == {"order": WITHHELD}


def test_an_entry_is_rolled_back_with_what_it_tells(cast: Cast, since: Since) -> None:
    def fail() -> None:
        with in_lab(cast.lab_a.pk):
            record("case.viewed", lab_id=cast.lab_a.pk)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert since(cast.lab_a.pk) == []


def test_a_refusal_outlives_the_rollback_of_its_request(cast: Cast, since: Since) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        with suppress(ZeroDivisionError), transaction.atomic():
            record("case.viewed", lab_id=cast.lab_a.pk)
            record_refusal("access.refused", lab_id=cast.lab_a.pk)
            raise ZeroDivisionError
        return HttpResponse()

    AuditMiddleware(view)(RequestFactory().get("/"))
    assert [entry.action for entry in since(cast.lab_a.pk)] == ["access.refused"]


def test_inside_a_labs_block_entries_are_written_at_its_end(cast: Cast, since: Since) -> None:
    with in_lab(cast.lab_a.pk):
        record("case.viewed", lab_id=cast.lab_a.pk)
        assert not Entry.objects.filter(chain=cast.lab_a.pk, action="case.viewed", at__gt=now()).exists()
        with in_lab(cast.lab_a.pk):
            record("case.downloaded", lab_id=cast.lab_a.pk)
    assert [entry.action for entry in since(cast.lab_a.pk)] == ["case.viewed", "case.downloaded"]


def now() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        row = cursor.fetchone()
        assert row
        return row[0]


def test_what_an_inner_block_took_back_is_not_written(cast: Cast, since: Since) -> None:
    with in_lab(cast.lab_a.pk):
        record("case.viewed", lab_id=cast.lab_a.pk)
        with suppress(ZeroDivisionError), in_lab(cast.lab_a.pk):
            record("case.downloaded", lab_id=cast.lab_a.pk)
            raise ZeroDivisionError
    assert [entry.action for entry in since(cast.lab_a.pk)] == ["case.viewed"]


def test_while_entries_are_held_back_the_chain_is_free(cast: Cast, since: Since) -> None:
    with in_lab(cast.lab_a.pk):
        record("case.viewed", lab_id=cast.lab_a.pk)
        other = threading.Thread(target=_from_a_thread, args=(cast.lab_a.pk, "case.downloaded", 1))
        other.start()
        other.join(10)
        assert not other.is_alive(), "the other one waits for our transaction"
    assert [entry.action for entry in since(cast.lab_a.pk)] == ["case.downloaded", "case.viewed"]


def test_two_chains_are_always_locked_in_the_same_order(cast: Cast, since: Since) -> None:
    """The other way round, two transactions would wait for each other."""
    first, second = sorted([cast.lab_a.pk, cast.lab_b.pk])
    with transaction.atomic(), collected():
        record("case.viewed", lab_id=second)
        record("case.viewed", lab_id=first)
        record("case.viewed", lab_id=None)
    times = [since(chain)[0].at for chain in (None, first, second)]
    assert times == sorted(times)


def test_the_same_again_within_the_time_is_recorded_once(cast: Cast, since: Since) -> None:
    order, other = Order(pk=uuid.uuid4()), Order(pk=uuid.uuid4())
    for target in (order, other, order):
        with in_lab(cast.lab_a.pk):
            record_once("case.pictured", lab_id=cast.lab_a.pk, target=target, within=timedelta(hours=1))
    assert [entry.object_id for entry in since(cast.lab_a.pk)] == [str(order.pk), str(other.pk)]
    with in_lab(cast.lab_a.pk):
        record_once("case.pictured", lab_id=cast.lab_a.pk, target=order, within=timedelta(0))
    assert len(since(cast.lab_a.pk)) == 3


def test_another_person_is_recorded_too(cast: Cast, since: Since) -> None:
    for person in (cast.anna, cast.theo):
        with acting(Actor("person", person.pk)), in_lab(cast.lab_a.pk):
            record_once("inbox.refreshed", lab_id=cast.lab_a.pk, within=timedelta(hours=1))
    assert [entry.actor_id for entry in since(cast.lab_a.pk)] == [cast.anna.pk, cast.theo.pk]


def test_eight_threads_leave_one_gap_free_chain(since: Since) -> None:
    chain = uuid.uuid4()
    threads = [threading.Thread(target=_from_a_thread, args=(chain, f"case.{n}", 25)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [entry.seq for entry in since(chain)] == list(range(1, 201))
    assert verify(chain, {}).broken == ""


def _from_a_thread(chain: uuid.UUID, action: str, times: int) -> None:
    try:
        for _ in range(times):
            record(action, lab_id=chain)
    finally:
        connections.close_all()
