"""The inbox's queries in a lab of 100,000 cases among a hundred other labs, against the quickest of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

BIG, SMALL, LABS = 100_000, 1_000, 100
ROUNDS = 7


@dataclass(frozen=True)
class Figure:
    """Median of the query in ms, rows that it gave."""

    ms: float
    rows: int


def measure(*, big: int = BIG, labs: int = LABS) -> dict[str, Figure]:
    """What stands behind an inbox page, by name; the first one is the floor."""
    from django.db import connections
    from django.http import QueryDict
    from django.utils import timezone

    from connector.orders.inbox import Query, listed, rows
    from connector.orders.models import Order
    from connector.orders.navigation import lane_counts
    from labportal.labs.tenancy import in_lab

    lab, user = _labs(big, labs)
    with connections["owner"].cursor() as cursor:
        cursor.execute("ANALYZE")

    def page(address: str, words: str = "") -> Callable[[], int]:
        def ask() -> int:
            query = Query.read(QueryDict(address), words=words)
            found, _ = rows(listed(Order.objects.of(lab), query, timezone.localdate()), query, lab=lab, user=user)
            return len(found)

        return ask

    with in_lab(lab.pk):
        one = Order.objects.of(lab).order_by("order_id")[big // 2]
        name = one.patient_last.split(" ")[1]
    asked = {
        "newest first": page("lane=all"),
        "new, newest first": page(""),
        "done": page("lane=done"),
        "due first": page("lane=all&sort=due"),
        "open, due first": page("lane=work&sort=due"),
        "overdue, due first": page("lane=overdue&sort=due"),
        "patient A–Z": page("lane=all&sort=patient"),
        "open, patient A–Z": page("sort=patient"),
        "one doctor": page("lane=all&doctor=Dr. Rossi"),
        "search: one name in 100,000": page("", name),
        "search: part of it": page("", "{name[3:12]}"),
        "search: a common name": page("", "hansen"),
        "search: two words": page("", "{name[:6]} {one.patient_first}"),
        "search: an order's number": page("", "{one.order_id}"),
        "search: nothing": page("", "zzqqxxyy"),
        "counts of the left column": lambda: len(lane_counts(lab)),
    }
    return {name: _median(ask, lab.pk) for name, ask in asked.items()}


def _labs(big: int, labs: int) -> tuple[Any, Any]:
    from benchmarks.seed import fill_lab
    from connector.pairing.models import Pairing, State
    from labportal.labs.services import create_lab, create_person
    from labportal.labs.tenancy import in_lab

    first = None
    for number in range(labs + 1):
        lab = create_lab(name=f"Lab {number}")
        with in_lab(lab.pk):
            pairing = Pairing.objects.create(lab=lab, account_id=f"p{number}", account_name="B", state=State.ACTIVE)
        fill_lab(lab.pk, pairing.pk, SMALL if number else big, salt=str(number))
        first = first or lab
    return first, create_person(email="search@example.com", password="not used to log in", name="S")  # noqa: S106 - a throw-away database


def _median(ask: Callable[[], int], lab_id: UUID) -> Figure:
    from labportal.labs.tenancy import in_lab

    found, taken = 0, []
    for _ in range(ROUNDS):
        with in_lab(lab_id):
            began = time.perf_counter()
            found = ask()
            taken.append(time.perf_counter() - began)
    return Figure(1000 * statistics.median(taken), found)
