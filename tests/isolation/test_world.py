"""A world has a row in every table of a lab, with its mark in each that has text: what the matrix can find."""

from uuid import UUID

import pytest
from django.db import connections

from tests.isolation.conftest import Worlds
from tests.isolation.world import lab_tables

# Tables in which nobody of a lab writes a word: codes, numbers, times and ids.
WITHOUT_TEXT = {
    "intake_syncrun", "labs_lab", "labs_membership", "orders_event", "orders_eventhead", "orders_seenby",
    "pairing_alarm", "retention_retentionpolicy",
}  # fmt: skip


def _count(table: str, lab: UUID, text: str) -> int:
    column = "id" if table == "labs_lab" else "lab_id"
    with connections["operator"].cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {table} t WHERE t.{column} = %s AND t::text LIKE %s",
            [lab, f"%{text}%"],
        )
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize("of", [0, 1], ids=["lab A", "lab B"])
def test_no_table_of_a_lab_is_empty(of: int, worlds: Worlds) -> None:
    """A new model: give it a row in side_rows.py."""
    lab = worlds[of].order.lab_id
    assert [table for table in lab_tables() if not _count(table, lab, "")] == []


@pytest.mark.parametrize("of", [0, 1], ids=["lab A", "lab B"])
def test_each_table_with_text_has_the_labs_mark_in_it(of: int, worlds: Worlds) -> None:
    world = worlds[of]
    unmarked = {table for table in lab_tables() if not _count(table, world.order.lab_id, world.mark)}
    assert unmarked == WITHOUT_TEXT
