"""A whole run that is too little or too long fails; each floor can fail by itself."""

from collections.abc import Callable

import pytest

from labportal.faults import POINTS
from tests.faults.__main__ import judge_run
from tests.faults.conftest import SEEDS as SEEDS_OF_A_CASE
from tests.faults.findings import Findings
from tests.faults.floors import CASES, CONTROLS, CUT_FAILS, CUT_WARNS, MINUTES, POINTS_KILLED, SEEDS, too_little
from tests.faults.report import Row

Spoil = Callable[[list[Row]], list[Row]]


def whole() -> list[Row]:
    """Just enough of everything."""
    kills = [Row("kill -9", f"at {number}", False, runs=SEEDS) for number in range(POINTS_KILLED)]
    others = [Row("line", f"list: {number}", False, runs=1) for number in range(CASES - POINTS_KILLED)]
    controls = [Row(family, case, True, runs=1, found=Findings(lost=1)) for family, case in CONTROLS.values()]
    return [*kills, *others, *controls]


def without_a_case(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.case != "list: 0"]


def with_a_point_less(rows: list[Row]) -> list[Row]:
    return [Row("line", "another", False, runs=1) if row.case == "at 0" else row for row in rows]


def with_a_seed_less(rows: list[Row]) -> list[Row]:
    return [Row(row.family, row.case, False, runs=SEEDS - 1) if row.case == "at 0" else row for row in rows]


def without(control: str) -> Spoil:
    return lambda rows: [row for row in rows if (row.family, row.case) != CONTROLS[control]]


def idle(control: str) -> Spoil:
    """It ran and found nothing."""
    return lambda rows: [*without(control)(rows), Row(*CONTROLS[control], True, runs=1)]


SPOILT: dict[str, Spoil] = {
    "59 cases, 60 at least": without_a_case,
    "killed at 14 fault points, 15 at least": with_a_point_less,
    "killed 4 times at a fault point, 5 at least": with_a_seed_less,
    **{f"the control {name!r} is missing": without(name) for name in CONTROLS},
    **{f"the control {name!r} found nothing": idle(name) for name in CONTROLS},
}


def test_a_run_that_reaches_every_floor_passes() -> None:
    assert judge_run(whole(), [], MINUTES, timed=True) == ([], False, False)


@pytest.mark.parametrize("words", SPOILT)
def test_a_run_below_a_floor_fails_and_says_which(words: str) -> None:
    rows = SPOILT[words](whole())
    assert too_little(rows) == [words]
    assert judge_run(rows, [], 1, timed=True) == ([f"TOO LITTLE: {words}"], True, False)


def test_nothing_at_all_is_below_every_floor() -> None:
    assert len(too_little([])) == 3 + len(CONTROLS)


def test_a_chosen_part_has_no_floor_and_no_time() -> None:
    assert judge_run([], ["-k", "refresh"], 10 * MINUTES, timed=True) == ([], False, False)
    assert judge_run([], ["--cut", "-k", "refresh"], 10 * MINUTES, timed=True) == ([], False, False)


@pytest.mark.parametrize(
    ("others", "minutes", "says", "fails"),
    [
        ([], MINUTES + 0.1, "TOO LONG: 15.1 minutes", True),
        (["--cut"], CUT_WARNS, "", False),
        (["--cut"], CUT_WARNS + 0.1, "WARNING: the cut took 4.1 minutes", False),
        (["--cut"], CUT_FAILS + 0.1, "TOO LONG: 8.1 minutes", True),
    ],
)
def test_a_run_that_takes_too_long_says_so_in_one_line(
    others: list[str], minutes: float, says: str, fails: bool
) -> None:
    lines, bad, late = judge_run(whole(), others, minutes, timed=True)
    assert (len(lines), bad, late) == (int(bool(says)), fails, fails)
    assert all(line.startswith(says) for line in lines)
    lines, bad, late = judge_run(whole(), others, minutes, timed=False)
    assert (len(lines), bad, late) == (int(bool(says)), False, fails), "it passes, and still says so"


def test_the_harness_can_reach_its_floors() -> None:
    assert len(POINTS) >= POINTS_KILLED
    assert SEEDS_OF_A_CASE >= SEEDS


def test_the_controls_that_a_run_must_have_are_there(pytestconfig: pytest.Config) -> None:
    """A control that is renamed would otherwise be missed at the end of a run of fifteen minutes."""
    code = "".join(path.read_text() for path in sorted(pytestconfig.rootpath.glob("tests/faults/test_*.py")))
    for family, case in CONTROLS.values():
        assert f'"{family}", "{case}", control=True' in code
