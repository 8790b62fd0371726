"""What people may do to their own changes their own lab alone, and a list of own and foreign ids acts on the own ones:
with both walls and with each alone; with neither, another lab's rows change."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import pytest

from labportal.audit.models import INSTALLATION
from labportal.labs.models import User
from tests.cast import Cast
from tests.matrix.addresses import ADDRESSES, TABLE
from tests.matrix.cells import FOREIGN, Cell, done_of
from tests.matrix.findings import Findings
from tests.matrix.judge import look, watched
from tests.matrix.report import BOTH, DONE, FILTER, POLICIES, Report
from tests.matrix.snapshot import Place, labs_rung_for
from tests.matrix.visitors import Visitor, Worlds

NEITHER = "neither wall"
WALLS = (BOTH, POLICIES, FILTER, NEITHER)
# What ends the things that the others need comes last.
LAST = (
    "patient_remove", "connection_unpair", "api_key_revoke", "remove_company", "member_remove", "invitation_withdraw",
    "leave_lab", "account_change_password", "usersessions_list", "account_logout",
)  # fmt: skip
DOING = ("owner of A", "technician for one connection of A", "owner of B")
DOING_LESS = ("anonymous", "nobody's", "technician of A", "viewer of A")
LISTED = ("download_many", "patient_export", "patient_remove")
# Acts about all of a lab, and those of a list: without walls they reach over.
REACHING = {"attention_try_all"}
Taken = Callable[[str], Any]


@pytest.fixture
def taken_away(without_filter: Callable[[], None], without_row_level_security: Callable[[], Any]) -> Taken:
    """All but the named wall, as a context."""

    def take(wall: str) -> Any:
        if wall in {POLICIES, NEITHER}:
            without_filter()
        return without_row_level_security() if wall in {FILTER, NEITHER} else nullcontext()

    return take


def changed_elsewhere(visitor: Visitor, changed: set[Place], person: User | None) -> set[Place]:
    """Places that are neither the visitor's lab nor the visitor; the queue is looked into by itself."""
    mine = {str(INSTALLATION)} | ({str(person.pk)} if person else set())
    if visitor.own is not None:
        mine.add(str(visitor.own.order.lab_id))
    return {(table, whose) for table, whose in changed if whose not in mine and table != "django_q_ormq"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Who does it, and with which wall: in the whole run also those who may do less, with both walls."""
    if "doing" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("--cut"):
        pairs = [
            *((name, wall) for name in DOING for wall in (BOTH, NEITHER)),
            (DOING[0], POLICIES),
            (DOING[0], FILTER),
        ]
    else:
        pairs = [*((name, wall) for name in DOING for wall in WALLS), *((name, BOTH) for name in DOING_LESS)]
    metafunc.parametrize(("doing", "wall"), pairs)


def test_what_is_done_to_ones_own_stays_in_ones_own_lab(
    doing: str, wall: str, visitors: dict[str, Visitor], cast: Cast, worlds: Worlds, report: Report, taken_away: Taken
) -> None:
    visitor, found, reached = visitors[doing], Findings(), set()
    people = {"anna": cast.anna, "theo": cast.theo, "vera": cast.vera, "bruno": cast.bruno, "nina": cast.nina}
    person = None if doing.startswith("technician for") else people.get(visitor.person)
    others = {str(other.order.lab_id) for other in visitor.others} - {
        str(visitor.own.order.lab_id) if visitor.own else ""
    }
    with taken_away(wall):
        for cell in filter(None, (done_of(each, visitor) for each in _in_order())):
            answers, changed = watched(visitor, [cell])
            found.cells += 1
            look(visitor, *answers[0], found)
            elsewhere = changed_elsewhere(visitor, changed, person)
            if elsewhere or any(lab in labs_rung_for() for lab in others):
                found.changed.add(f"{doing}: {cell} changed {sorted(elsewhere)}")
                reached.add(cell.name)
    if wall == NEITHER:
        assert found.changed or doing == "owner of B" or reached >= REACHING, "the control reached nobody"
        assert reached >= REACHING
        return
    report.add(DONE, found)
    assert found.all() == set()


def _in_order() -> list[str]:
    return [*sorted(set(TABLE) - set(LAST)), *LAST]


@pytest.mark.parametrize("wall", WALLS)
@pytest.mark.parametrize("name", LISTED)
def test_a_list_of_own_and_foreign_ids_acts_on_the_own_ones(
    name: str, wall: str, visitors: dict[str, Visitor], worlds: Worlds, report: Report, taken_away: Taken
) -> None:
    visitor, found = visitors["owner of A"], Findings()
    own, foreign = str(worlds.gamma.order.pk), str(worlds.beta.order.pk)
    with taken_away(wall):
        for ids in ([own, foreign], [foreign, own], [foreign, str(uuid4())]):
            form = {"order": ids, "confirm": ["yes"]}
            cell = Cell(name, "POST", FOREIGN, ADDRESSES[name], form, refused=False)
            answers, changed = watched(visitor, [cell])
            found.cells += 1
            look(visitor, *answers[0], found)
            if any(whose == str(worlds.beta.order.lab_id) for _, whose in changed):
                found.changed.add(f"{cell} changed the other lab")
    if wall == NEITHER:
        assert found.leaks | found.changed, "the control reached nobody"
        return
    report.add(DONE, found)
    assert found.all() == set()
