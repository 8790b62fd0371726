"""Every case reports a row. A pytest plugin: it chooses the cases of this process and leaves their rows in a file, for
tests/faults/__main__.py to print and write down."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tests.faults.findings import Findings

MARKS = (
    "fault_case(family, case, control=False, long=False): a row of the table; {name} in `case` is a parameter's value; "
    "long: of a minute or more",
    "cut: also in the short run, with one seed",
)


@dataclass
class Row:
    """One case: what it found in all its runs. Of a control `found.bad` must be more than 0, of all others 0. `place`:
    its number among the collected cases, the same in each process; the table stands in the order of the files."""

    family: str
    case: str
    control: bool
    place: int = 0
    runs: int = 0
    seconds: float = 0.0
    passed: bool = True
    found: Findings = field(default_factory=Findings)

    @property
    def verdict(self) -> str:
        if not self.passed:
            return "FAILED"
        return "losses found" if self.control else "ok"


ROWS = pytest.StashKey[dict[tuple[str, str], Row]]()
GOOD = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults")
    group.addoption("--cut", action="store_true", help="only the cases marked cut, with one seed each")
    group.addoption("--family", action="append", default=[], help="only cases of this family; may be repeated")
    group.addoption("--share", default="0/1", help="1/2: the second half of the cases")
    group.addoption("--rows", type=Path, help="leave the rows in this file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose by family and cut; a family that there is not is an error."""
    marked = {item: row_of(item) for item in items if item.get_closest_marker("fault_case")}
    known = {row.family for row in marked.values()}
    for wanted in config.getoption("--family"):
        if wanted not in known:
            raise pytest.UsageError(f"there is no family {wanted!r}; there are {', '.join(sorted(known))}")
    chosen = set(config.getoption("--family")) or known
    cut = config.getoption("--cut")
    keep = [
        item for item, row in marked.items() if row.family in chosen and (item.get_closest_marker("cut") or not cut)
    ]
    keep.sort(key=lambda item: not _is_long(item))  # dealt first, so that no process gets them all
    number, of = map(int, config.getoption("--share").split("/"))
    keep = keep[number::of]
    config.hook.pytest_deselected(items=[item for item in items if item not in keep])
    items[:] = keep


def _is_long(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("fault_case")
    return mark is not None and bool(mark.kwargs.get("long"))


def row_of(item: pytest.Item) -> Row:
    """The row that this test adds to; made at its first run."""
    mark = item.get_closest_marker("fault_case")
    assert mark is not None, f"{item.nodeid} has no fault_case mark, so it would be in no table"
    family, case = mark.args
    values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    rows = item.config.stash[ROWS]
    fresh = Row(family, case.format(**values), bool(mark.kwargs.get("control")), place=len(rows))
    return rows.setdefault((fresh.family, fresh.case), fresh)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: "pytest.CallInfo[None]") -> Iterator[None]:
    """A row has passed when each of its tests went through to the end of its teardown."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]  # pluggy's Result
    row = row_of(item)
    if report.when == "setup":
        item.stash[GOOD] = True
    item.stash[GOOD] = item.stash[GOOD] and report.passed
    if report.when == "teardown":
        row.passed = row.passed and item.stash[GOOD]


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("--rows")
    rows = session.config.stash.get(ROWS, {}).values()
    if path is not None:
        path.write_text(json.dumps([asdict(row) for row in rows if row.runs or not row.passed]))


def read_rows(files: list[Path]) -> list[Row]:
    """The rows of all processes; a case that two of them had a part of is one row."""
    rows: dict[tuple[str, str], Row] = {}
    for file in files:
        for values in json.loads(file.read_text()) if file.exists() else []:
            found = Findings(**values.pop("found"))
            part = Row(**values)
            row = rows.setdefault((part.family, part.case), Row(part.family, part.case, part.control, part.place))
            row.runs, row.seconds, row.passed = (
                row.runs + part.runs, row.seconds + part.seconds, row.passed and part.passed
            )  # fmt: skip
            row.found.add(found)
    return sorted(rows.values(), key=lambda row: row.place)
