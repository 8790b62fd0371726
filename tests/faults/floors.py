"""What a run must be to say anything: a short table, or one without its controls, would pass as well as a whole one."""

from collections import Counter
from collections.abc import Sequence

from tests.faults.document import Line

CASES = 60
POINTS_KILLED = 15
SEEDS = 5
CONTROLS = {
    "no row before the bytes": ("kill -9", "no row before the bytes"),
    "no lock": ("refresh", "eight workers at once, without the row lock"),
    "no fencing": ("machine", "a worker stopped past its lease, without fencing"),
    "no sweeper": ("kill -9", "no sweep: the queue alone is worked off"),
    "no supervisor": ("worker", "idle workers of each cluster killed, without the supervisor"),
}
MINUTES = 15.0
# The cut runs in `.ci/run`, on whatever machine that is: it says early that it has grown, and fails late.
CUT_WARNS, CUT_FAILS = 4.0, 8.0


def too_little(rows: Sequence[Line]) -> list[str]:
    """What a whole run lacks, in words; nothing, if it was one."""
    plain = [row for row in rows if not row.control]
    # Each run of such a row killed a process (tests/faults/test_points.py fails otherwise).
    kills = Counter({row.case: row.runs for row in plain if row.family == "kill -9" and row.case.startswith("at ")})
    seeds = min(kills.values(), default=0)
    controls = {(row.family, row.case): row for row in rows if row.control}
    lacking = [
        f"{len(plain)} cases, {CASES} at least" if len(plain) < CASES else "",
        f"killed at {len(kills)} fault points, {POINTS_KILLED} at least" if len(kills) < POINTS_KILLED else "",
        f"killed {seeds} times at a fault point, {SEEDS} at least" if seeds < SEEDS else "",
    ]
    for name, key in CONTROLS.items():
        row = controls.get(key)
        if row is None:
            lacking.append(f"the control {name!r} is missing")
        elif not row.found.bad:
            lacking.append(f"the control {name!r} found nothing")
    return [line for line in lacking if line]


def too_long(minutes: float, *, cut: bool) -> tuple[str, bool]:
    """One line about the time, '' if there is nothing to say, and whether the run has failed by it."""
    limit = CUT_FAILS if cut else MINUTES
    if minutes > limit:
        return f"TOO LONG: {minutes:.1f} minutes, {limit:.0f} at most (--no-time-limit on a slow machine)", True
    if cut and minutes > CUT_WARNS:
        return f"WARNING: the cut took {minutes:.1f} minutes and is meant to take {CUT_WARNS:.0f}", False
    return "", False
