"""What the database itself refuses, with no query of ours to help it."""

import uuid
from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.utils import ProgrammingError
from django.test import Client

from connector.orders.models import Order, Revision
from connector.pairing.models import Pairing
from labportal.labs.models import Lab, Membership
from labportal.labs.routers import as_operator
from labportal.labs.tenancy import in_lab, name_lab
from tests.cast import Cast
from tests.isolation.conftest import Worlds
from tests.isolation.world import lab_tables


@pytest.fixture(autouse=True)
def _two_labs(worlds: Worlds) -> None:
    return


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def named_lab() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.lab_id', true)")
        return cursor.fetchone()[0] or ""


def test_without_a_lab_every_labs_table_is_empty(cast: Cast) -> None:
    assert {table: count(table) for table in lab_tables()} == dict.fromkeys(lab_tables(), 0)


def test_the_tables_that_look_empty_are_not(cast: Cast) -> None:
    """The control of the one above: the same counts through the operator's role."""
    with connections["operator"].cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM orders_order), (SELECT count(*) FROM pairing_connectattempt)")
        assert cursor.fetchone() == (2, 2)


def test_a_lab_sees_its_own_rows_and_none_of_the_other(cast: Cast) -> None:
    with in_lab(cast.lab_b.pk), connection.cursor() as cursor:
        for table in lab_tables():
            column = "id" if table == "labs_lab" else "lab_id"
            cursor.execute(f"SELECT DISTINCT {column} FROM {table}")
            assert cursor.fetchall() in ([(cast.lab_b.pk,)], []), table
        assert count("orders_order") == 1


def test_an_empty_or_unknown_lab_is_no_lab(cast: Cast) -> None:
    with transaction.atomic():
        name_lab("", None)
        assert count("orders_order") == 0
        name_lab(uuid.uuid4(), None)
        assert count("orders_order") == 0


def test_a_row_of_another_lab_can_not_be_written(cast: Cast, worlds: Worlds) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), in_lab(cast.lab_b.pk):
        Pairing.objects.create(lab=cast.lab_a, account_id="x", account_name="x")


def test_a_row_can_not_be_given_to_another_lab(cast: Cast) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), in_lab(cast.lab_b.pk):
        Order.objects.update(lab=cast.lab_a)


def test_another_labs_row_can_be_neither_changed_nor_deleted(cast: Cast, worlds: Worlds) -> None:
    with in_lab(cast.lab_b.pk):
        assert Order.objects.filter(pk=worlds[0].order.pk).update(notes="mine now") == 0
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM orders_restoration")
            cursor.execute("DELETE FROM orders_scanfile WHERE id = %s", [worlds[0].scan.pk])
            assert cursor.rowcount == 0


def test_a_foreign_key_to_another_labs_row_is_refused_at_commit(cast: Cast, worlds: Worlds) -> None:
    reached_the_end = False
    with pytest.raises(IntegrityError, match="_lab_fk"), in_lab(cast.lab_b.pk):  # noqa: PT012 - COMMIT is what raises
        Revision.objects.create(lab=cast.lab_b, order_id=worlds[0].order.pk, number=9, version_key="x", cause="first")
        reached_the_end = True
    assert reached_the_end  # the plain foreign key let it pass; the one with the lab in it did not


def test_a_row_can_not_be_moved_under_another_labs_row(cast: Cast, worlds: Worlds) -> None:
    with pytest.raises(IntegrityError, match="_lab_fk"), in_lab(cast.lab_b.pk):
        Order.objects.filter(pk=worlds[1].order.pk).update(pairing_id=worlds[0].pairing.pk)


def test_after_in_lab_the_connection_carries_no_lab(cast: Cast) -> None:
    with in_lab(cast.lab_a.pk):
        assert named_lab() == str(cast.lab_a.pk)
    assert named_lab() == ""
    assert count("orders_order") == 0


def test_after_an_exception_the_connection_carries_no_lab(cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError), in_lab(cast.lab_a.pk):
        _ = 1 / 0
    assert named_lab() == ""
    assert count("orders_order") == 0


def test_the_next_transaction_on_the_connection_carries_no_lab(cast: Cast) -> None:
    with in_lab(cast.lab_a.pk):
        backend = connection.connection.info.backend_pid
    with transaction.atomic():
        assert connection.connection.info.backend_pid == backend
        assert count("orders_order") == 0


def test_a_lab_that_is_named_counts_for_its_transaction_only(cast: Cast) -> None:
    with transaction.atomic():
        name_lab(cast.lab_a.pk, cast.anna.pk)
        assert count("orders_order") == 1
    assert named_lab() == ""
    assert count("orders_order") == 0


def test_after_a_page_the_connection_carries_no_lab(cast: Cast, client_of: Callable[..., Client]) -> None:
    assert client_of(cast.anna).get("/").status_code == 200
    backend = connection.connection.info.backend_pid
    assert (named_lab(), count("orders_order"), count("labs_membership")) == ("", 0, 0)
    assert connection.connection.info.backend_pid == backend


def test_a_lab_inside_a_lab_gives_the_outer_one_back(cast: Cast) -> None:
    with in_lab(cast.lab_a.pk, user_id=cast.anna.pk):
        with in_lab(cast.lab_b.pk):
            assert named_lab() == str(cast.lab_b.pk)
        assert named_lab() == str(cast.lab_a.pk)
        assert Order.objects.values_list("lab_id", flat=True).get() == cast.lab_a.pk


def test_a_lab_inside_a_lab_that_fails_gives_the_outer_one_back(cast: Cast) -> None:
    with in_lab(cast.lab_a.pk):
        with pytest.raises(ZeroDivisionError), in_lab(cast.lab_b.pk):
            _ = 1 / 0
        assert named_lab() == str(cast.lab_a.pk)


def test_a_service_that_the_operator_calls_acts_for_one_lab(cast: Cast) -> None:
    with as_operator():
        assert Order.objects.count() == 2
        with in_lab(cast.lab_b.pk):
            assert Order.objects.count() == 1
        assert Order.objects.count() == 2


def test_before_a_lab_is_chosen_a_person_reads_their_own_memberships_and_labs(cast: Cast) -> None:
    with transaction.atomic():
        name_lab(None, cast.anna.pk)
        assert list(Membership.objects.values_list("user_id", flat=True)) == [cast.anna.pk]
        assert list(Lab.objects.all()) == [cast.lab_a]
        assert count("orders_order") == 0


def test_a_person_without_a_lab_reads_no_membership_and_no_lab(cast: Cast) -> None:
    with transaction.atomic():
        name_lab(None, cast.nina.pk)
        assert (Membership.objects.count(), Lab.objects.count()) == (0, 0)


def test_a_person_who_reads_their_memberships_can_not_change_them(cast: Cast) -> None:
    with transaction.atomic():
        name_lab(None, cast.vera.pk)
        assert Membership.objects.update(role="owner") == 0


def test_a_member_of_one_lab_can_not_make_themselves_a_member_of_another(cast: Cast) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), in_lab(cast.lab_a.pk, user_id=cast.anna.pk):
        Membership.objects.create(lab=cast.lab_b, user=cast.anna, role="owner")
