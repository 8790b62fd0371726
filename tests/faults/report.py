"""Every case reports a row; the rows become the table that is printed, and by `make faults` the one in docs/.

Loaded as a pytest plugin by tests/faults/__main__.py.
"""

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.document import as_text, write
from tests.faults.findings import Findings

MARKS = (
    "fault_case(family, case, control=False): a row of the table; {name} in `case` is a parameter's value",
    "cut: also in the short run, with one seed",
)


@dataclass
class Row:
    """One case: what it found in all its runs. Of a control `found.bad` must be more than 0, of all others 0."""

    family: str
    case: str
    control: bool
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
    group.addoption("--write", action="store_true", help="write docs/reliability.md when the whole run is good")


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
    config.hook.pytest_deselected(items=[item for item in items if item not in keep])
    items[:] = keep


def row_of(item: pytest.Item) -> Row:
    """The row that this test adds to; made at its first run."""
    mark = item.get_closest_marker("fault_case")
    assert mark is not None, f"{item.nodeid} has no fault_case mark, so it would be in no table"
    family, case = mark.args
    values = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    fresh = Row(family, case.format(**values), bool(mark.kwargs.get("control")))
    return item.config.stash[ROWS].setdefault((fresh.family, fresh.case), fresh)


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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    rows = [row for row in config.stash[ROWS].values() if row.runs or not row.passed]
    terminalreporter.write_line("")
    terminalreporter.write_line(as_text(rows))
    if not config.getoption("--write"):
        return
    if exitstatus != 0:
        terminalreporter.write_line("docs/reliability.md is not written: a case failed.", red=True)
        return
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    target = Path(config.rootpath) / "docs" / "reliability.md"
    write(rows, machine, target)
    terminalreporter.write_line(f"{target.relative_to(config.rootpath)} is written.")
