"""Each test of the matrix adds to a row; the rows become the table that is printed and, by the whole run, the one in
docs/isolation.md. Loaded as a pytest plugin by tests/matrix/__main__.py."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.matrix.findings import Findings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "isolation.md"
TEMPLATE = Path(__file__).parent / "isolation.md.in"
HEAD = ("What", "Requests", "Leaks", "Telling differences", "Changed rows", "Crashes")
# A control must leak; its other columns are not asked.
CONTROL = "both walls taken away (control)"


@dataclass
class Report:
    rows: dict[str, Findings] = field(default_factory=dict)
    proofs: dict[str, int] = field(default_factory=dict)

    def add(self, row: str, found: Findings) -> None:
        self.rows.setdefault(row, Findings()).add(found)

    def lines(self) -> list[tuple[str, ...]]:
        return [
            (name, f"{f.cells:,}", *(str(len(kind)) for kind in (f.leaks, f.differing, f.changed, f.crashed)))
            for name, f in self.rows.items()
        ]


REPORT = pytest.StashKey[Report]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("isolation")
    group.addoption("--cut", action="store_true", help="the short run: GET and POST, fewer visitors")
    group.addoption("--write", action="store_true", help="write docs/isolation.md when all is good")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = Report()


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    return request.config.stash[REPORT]


@pytest.fixture(scope="session")
def cut(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--cut"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Which other proofs ran along, by file."""
    if report.when == "call" and report.passed:
        _PASSED[report.nodeid.partition("::")[0]] = _PASSED.get(report.nodeid.partition("::")[0], 0) + 1


_PASSED: dict[str, int] = {}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    rows = config.stash[REPORT].lines()
    terminalreporter.section("isolation")
    widths = [max(len(line[place]) for line in (HEAD, *rows)) for place in range(len(HEAD))]
    for line in (HEAD, *rows):
        terminalreporter.write_line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))
    if config.getoption("--write") and exitstatus == 0:
        _write(rows)
        terminalreporter.write_line("docs/isolation.md is written.")


def _write(rows: list[tuple[str, ...]]) -> None:
    table = ["| " + " | ".join(line) + " |" for line in (HEAD, *rows)]
    table.insert(1, "|---|" + "---:|" * (len(HEAD) - 1))
    proofs = [f"| `{name}` | {count} |" for name, count in sorted(_PASSED.items()) if "/matrix/test_matrix" not in name]
    text = TEMPLATE.read_text()
    text = text.replace("{{matrix}}", "\n".join(table)).replace("{{proofs}}", "\n".join(proofs))
    PAGE.write_text(text)
