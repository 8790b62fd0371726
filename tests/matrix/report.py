"""Each test of the matrix adds to a row; the rows, and which tests passed, go to the file that `--result` names. Loaded
as a pytest plugin by tests/matrix/__main__.py."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from tests.matrix.findings import Findings
from tests.matrix.page import Result

# A control must leak; its other columns are not asked.
BOTH, POLICIES, FILTER = "both walls", "row-level security alone", "the access filter alone"
CONTROL = "both walls taken away (control)"
DONE = "what is done to one's own, and lists of own and foreign ids; each wall"


@dataclass
class Report:
    rows: dict[str, Findings] = field(default_factory=dict)

    def add(self, row: str, found: Findings) -> None:
        self.rows.setdefault(row, Findings()).add(found)

    def counts(self) -> dict[str, list[int]]:
        return {
            name: [f.cells, *(len(kind) for kind in (f.leaks, f.differing, f.changed, f.crashed))]
            for name, f in self.rows.items()
        }


REPORT = pytest.StashKey[Report]()
_ran = Result()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("isolation")
    group.addoption("--cut", action="store_true", help="the short run: GET and POST, fewer visitors")
    group.addoption("--result", type=Path, help="the file to write what was found to")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    return request.config.stash[REPORT]


@pytest.fixture(scope="session")
def cut(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--cut"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    file = report.nodeid.partition("::")[0]
    if report.when == "call" and report.passed:
        _ran.proofs[file] = _ran.proofs.get(file, 0) + 1
    if report.skipped:
        _ran.skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _ran.skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    _ran.rows = session.config.stash[REPORT].counts()
    session.config.getoption("--result").write_text(json.dumps(asdict(_ran)))
