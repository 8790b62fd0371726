"""Nobody sees or changes what is another's: every address × method × person × kind of id, with both walls, with each of
them alone, and, as the control, with neither."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from tests.matrix.addresses import ADDRESSES, TABLE, WALKED, documented, holes_of, path_of
from tests.matrix.cells import BAD, METHODS, cells_of, ids_of
from tests.matrix.findings import Findings
from tests.matrix.judge import judge
from tests.matrix.report import BOTH, CONTROL, FILTER, POLICIES, Report
from tests.matrix.visitors import Visitor, Worlds
from tests.matrix.ways import FILES, asked_of, files_of

# Those who could find something of another's if a wall had a hole.
PRYING = ("owner of A", "technician for one connection of A", "owner of B", "key of B", "key for one connection of A")
# In the short run: a whole lab's owner and one who has a part of a lab, on pages and at the REST door.
FEW = ("owner of A", "technician for one connection of A", "key for one connection of A")
ALL_OF_IT, A_CUT = (METHODS, BAD), (("GET", "POST"), BAD[2:4])
# Whose own things are shown on these, and another's when both walls are gone.
# An attempt to connect is its own person's (choose_account): one more wall, which is not taken away here.
ONE_THING = {
    "case", "case_return", "file", "lms:file", "lms:order", "lms:zip", "member", "member_remove",
    "member_suspend", "picture", "preview", "reconciliation", "revision_zip", "thumbnail",
}  # fmt: skip
LISTS = {"api_keys", "attention", "audit", "connections", "data", "inbox", "invite", "lms:orders", "people"}
# Which of two rows comes first is the chance of their ids: the one provider that the rules of the lab's sign-in show,
# and whether a cursor at the same moment stands before or behind the other lab's case.
BY_CHANCE = {"sign_in_rules", "lms:orders"}


def run(
    visitors: dict[str, Visitor], names: tuple[str, ...], extent: tuple[tuple[str, ...], tuple[str, ...]],
    *, name_each: bool = True,
) -> Findings:  # fmt: skip
    found, (methods, bad) = Findings(), extent
    for visitor in (visitors[each] for each in names):
        for name in sorted(TABLE):
            found.add(judge(visitor, cells_of(name, visitor, methods=methods, bad=bad), name_each=name_each))
    return found


@pytest.fixture
def etags(worlds: Worlds, visitors: dict[str, Visitor]) -> dict[tuple[str, str], str]:
    """The true ETag of each file of each world, as its own lab's people get it."""
    found = {}
    for world, person, key in (
        (worlds.alpha, "owner of A", "key of A"),
        (worlds.gamma, "owner of A", "key of A"),
        (worlds.beta, "owner of B", "key of B"),
    ):
        for name in FILES:
            client = visitors[key if name.startswith("lms:") else person].open()
            answer = client.get(path_of(name, ids_of(world)))
            assert answer.status_code == 200, name
            found[world.mark, name] = answer.headers.get("ETag", '"none"')
            answer.close()
    return found


def test_every_address_and_every_documented_operation_is_in_the_matrix() -> None:
    assert set(ADDRESSES) == set(TABLE), "a new address: say in tests/isolation/routes.py who may use it"
    paths = {name: {path for named, path in WALKED if named == name} for name in ADDRESSES}
    assert [name for name in paths if len(paths[name]) > 1] == [], "two addresses of one name: one would be left out"
    addresses = {path.replace("<", "{").replace(">", "}") for path in ADDRESSES.values()}
    assert {path for path, _ in documented()} <= addresses
    assert {method for _, method in documented()} <= set(METHODS)


def test_with_both_walls(
    visitors: dict[str, Visitor], etags: dict[tuple[str, str], str], report: Report, cut: bool
) -> None:
    found = run(visitors, PRYING if cut else tuple(visitors), A_CUT if cut else ALL_OF_IT)
    found.add(other_ways(visitors, etags, FEW if cut else tuple(visitors)))
    report.add(BOTH, found)
    assert found.all() == set()
    assert found.cells > 3000


@pytest.mark.parametrize("wall", [POLICIES, FILTER])
def test_with_one_wall(
    wall: str,
    visitors: dict[str, Visitor],
    etags: dict[tuple[str, str], str],
    report: Report,
    cut: bool,
    without_filter: Callable[[], None],
    without_row_level_security: Callable[[], Any],
) -> None:
    if wall == POLICIES:
        without_filter()
    with without_row_level_security() if wall == FILTER else nullcontext():
        names = FEW if cut else PRYING
        found = run(visitors, names, (("GET", "POST"), ()))
        found.add(other_ways(visitors, etags, names))
    report.add(wall, found)
    assert found.all() == set()


def test_with_neither_every_address_about_a_labs_thing_leaks(
    visitors: dict[str, Visitor],
    etags: dict[tuple[str, str], str],
    report: Report,
    without_filter: Callable[[], None],
    without_row_level_security: Callable[[], Any],
) -> None:
    without_filter()
    with without_row_level_security():
        found = run(visitors, FEW, (("GET",), ()), name_each=False)  # first: the others remove what is shown
        found.add(run(visitors, FEW, (("POST",), ()), name_each=False))
        others = other_ways(visitors, etags, FEW)
    report.add(CONTROL, found)
    leaking = {name for _, method, name in found.leaking if method == "GET"}
    assert leaking & {name for name in TABLE if holes_of(name)} == ONE_THING
    assert leaking - {name for name in TABLE if holes_of(name)} | BY_CHANCE == LISTS | BY_CHANCE
    assert found.changed
    told = {name for name in TABLE if any(f"GET {name} (" in line for line in others.differing)}
    assert told | BY_CHANCE == {*FILES, "inbox", "audit", "audit_export", "data"} | BY_CHANCE


def other_ways(visitors: dict[str, Visitor], etags: dict[tuple[str, str], str], names: tuple[str, ...]) -> Findings:
    found = Findings()
    for name in names:
        found.add(judge(visitors[name], [*asked_of(visitors[name]), *files_of(visitors[name], etags)]))
    return found
