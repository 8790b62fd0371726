"""Nobody sees or changes what is another's: every address × method × person × kind of id, with both walls, with each of
them alone, and, as the control, with neither."""

from collections.abc import Callable
from typing import Any

from tests.isolation.routes import ROUTES
from tests.matrix.cells import ADDRESSES, METHODS, cells_of, documented
from tests.matrix.findings import Findings
from tests.matrix.judge import judge
from tests.matrix.report import CONTROL, Report
from tests.matrix.visitors import Visitor, Worlds

BOTH, POLICIES, FILTER = "both walls", "row-level security alone", "the access filter alone"
# Those who could find something of another's if a wall had a hole.
PRYING = ("owner of A", "technician for one connection of A", "owner of B", "key of B", "key for one connection of A")


def run(worlds: Worlds, visitors: dict[str, Visitor], names: tuple[str, ...], methods: tuple[str, ...]) -> Findings:
    found = Findings()
    for visitor in names:
        for name in sorted(ROUTES):
            cells = cells_of(name, visitors[visitor], methods=methods)
            found.add(judge(visitors[visitor], cells, watched=(worlds.alpha, worlds.beta)))
    return found


def test_every_address_and_every_documented_operation_is_in_the_matrix() -> None:
    assert set(ADDRESSES) == set(ROUTES), "a new address: say in tests/isolation/routes.py who may use it"
    addresses = {path.replace("<", "{").replace(">", "}") for path in ADDRESSES.values()}
    assert {path for path, _ in documented()} <= addresses
    assert {method for _, method in documented()} <= set(METHODS)


def test_with_both_walls(worlds: Worlds, visitors: dict[str, Visitor], report: Report, cut: bool) -> None:
    found = run(worlds, visitors, PRYING if cut else tuple(visitors), ("GET", "POST") if cut else METHODS)
    report.add(BOTH, found)
    assert found.all() == set()
    assert found.cells > 3000


def test_with_row_level_security_alone(
    worlds: Worlds, visitors: dict[str, Visitor], report: Report, without_filter: Callable[[], None]
) -> None:
    without_filter()
    found = run(worlds, visitors, PRYING, ("GET", "POST"))
    report.add(POLICIES, found)
    assert found.leaks | found.changed == set()


def test_with_the_access_filter_alone(
    worlds: Worlds, visitors: dict[str, Visitor], report: Report, without_row_level_security: Callable[[], Any]
) -> None:
    with without_row_level_security():
        found = run(worlds, visitors, PRYING, ("GET", "POST"))
    report.add(FILTER, found)
    assert found.leaks | found.changed == set()


def test_with_neither_the_matrix_finds_leaks(
    worlds: Worlds,
    visitors: dict[str, Visitor],
    report: Report,
    without_filter: Callable[[], None],
    without_row_level_security: Callable[[], Any],
) -> None:
    without_filter()
    with without_row_level_security():
        found = run(worlds, visitors, PRYING, ("GET", "POST"))
    report.add(CONTROL, found)
    assert len(found.leaks) > 50
    assert found.changed
