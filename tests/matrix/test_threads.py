"""Fifty threads, two labs, ten thousand queries in turns, with exceptions in between: a connection that acted for one
lab shows nothing of it to the next borrower. Row-level security alone is asked here: no query names its lab."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from uuid import UUID

import pytest
from django.db import connection, connections, transaction

from connector.orders.models import Order
from labportal.labs.tenancy import in_lab, name_lab
from tests.matrix.findings import Findings
from tests.matrix.report import Report
from tests.matrix.visitors import Worlds

THREADS, QUERIES = 50, 10_000


class Broken(Exception):
    """Something went wrong in the middle of a lab's work."""


def labs_in_sight() -> set[UUID]:
    return set(Order.objects.values_list("lab_id", flat=True))


def turn(lab: UUID, other: UUID, chance: Random, named: Callable[[UUID], object]) -> int:
    """One piece of work for `lab`: how often it saw what it should not."""
    crossings = 0
    with suppress(Broken), transaction.atomic():
        named(lab)
        crossings += labs_in_sight() != {lab}
        if chance.random() < 0.2:
            raise Broken
        if chance.random() < 0.2:
            with suppress(Broken), in_lab(other):
                crossings += labs_in_sight() != {other}
                raise Broken
            crossings += labs_in_sight() != {lab}
    return crossings + (labs_in_sight() != set())


def run(worlds: Worlds, threads: int, queries: int, named: Callable[[UUID], object]) -> tuple[int, int]:
    """(queries, crossings)."""
    labs = (worlds.alpha.order.lab_id, worlds.beta.order.lab_id)

    def work(seed: int) -> int:
        chance, crossings = Random(seed), 0
        try:
            for _ in range(queries // threads // 2):
                lab = chance.choice(labs)
                crossings += turn(lab, labs[lab == labs[0]], chance, named)
        finally:
            connections.close_all()
        return crossings

    with ThreadPoolExecutor(threads) as pool:
        return queries // threads // 2 * threads * 2, sum(pool.map(work, range(threads)))


def in_the_transaction(lab: UUID) -> None:
    name_lab(lab, None)


def for_the_session(lab: UUID) -> None:
    """What must not be done: the setting outlives the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.lab_id', %s, false), set_config('app.pairings', '*', false)", [str(lab)])


@pytest.mark.parametrize("how", ["in the transaction", "for the session"])
def test_no_connection_carries_a_lab_to_its_next_borrower(worlds: Worlds, report: Report, cut: bool, how: str) -> None:
    right = how == "in the transaction"
    threads, queries = (10, 1000) if cut or not right else (THREADS, QUERIES)
    asked, crossings = run(worlds, threads, queries, in_the_transaction if right else for_the_session)
    row = f"{threads} threads, two labs in turns" + ("" if right else ", lab set for the session (control)")
    report.add(row, Findings(cells=asked, leaks={str(number) for number in range(crossings)}))
    assert (crossings == 0) is right
