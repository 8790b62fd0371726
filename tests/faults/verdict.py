"""How a case reports: `verdict(desk)` when all is quiet again."""

import time
from collections.abc import Iterator

import pytest

from tests.faults.findings import Findings
from tests.faults.oracle import judge
from tests.faults.report import GOOD, Row, row_of
from tests.faults.traces import Traces
from tests.intake.desk import Desk


class Verdict:
    """What a case's test calls when all is quiet again: `verdict(desk)`; it adds the oracle's counts to the row, and
    those that the test itself has made before (`also`)."""

    def __init__(self, row: Row, traces: Traces) -> None:
        self.row, self.traces = row, traces

    def __call__(self, desk: Desk, only: list[str] | None = None, *, also: Findings | None = None) -> Findings:
        found = judge(desk, self.traces, only=only)
        if also is not None:
            found.add(also)
        self.row.runs += 1
        self.row.found.add(found)
        if not self.row.control:
            assert found.bad == 0, found.notes
        return found


@pytest.fixture
def verdict(request: pytest.FixtureRequest, traces: Traces) -> Iterator[Verdict]:
    """The row of this test; a test that never judges, or a control that finds nothing, is an error."""
    row = row_of(request.node)
    before, began = row.runs, time.monotonic()
    yield Verdict(row, traces)
    row.seconds += time.monotonic() - began
    if not request.node.stash.get(GOOD, False):
        return  # it has failed already, and says why
    assert row.runs > before, "this case was never judged"
    assert not row.control or row.found.bad > 0, "the control finds nothing: this case could not fail"
