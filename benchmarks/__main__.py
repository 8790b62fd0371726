"""`make bench`: what is measured against a floor of the same run; writes docs/figures.md, if all was within bounds."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import inbox, notifications
from benchmarks.bounds import SLOWER_50, SLOWER_95, shortcomings
from benchmarks.instance import instance

TEMPLATE = Path(__file__).parent / "page.md.in"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "figures.md"
DISTINCT, TIMES, RATE = 1000, 10, 1000


def main() -> int:
    """0 when the storm was a storm, nothing was lost and the pages stayed usable."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/figures.md as it is")
    options = parser.parse_args()
    with instance() as place:
        storm = notifications.measure(
            place.environment, notifications.make_target(), distinct=DISTINCT, times=TIMES, rate=RATE
        )
        queries = inbox.measure()
    values = {"machine": _machine(), **_storm(storm), "queries": _queries(queries)}
    for name, value in values.items():
        print(f"{name:>20}  {value}")  # noqa: T201 - a command's output
    found = shortcomings(storm, RATE)
    for words in found:
        print(f"FAILED: {words}")  # noqa: T201 - a command's output
    if options.write and not found:
        write(values)
    return int(bool(found))


def write(values: dict[str, str], target: Path = PAGE) -> None:
    """Fill the template; the figures come from the run alone."""
    text = TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    target.write_text(text)


def _machine() -> str:
    busy = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, load {busy:.0f}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"


def _storm(storm: notifications.Storm) -> dict[str, str]:
    statuses = ", ".join(f"{status}: {count:,}" for status, count in sorted(storm.statuses.items()))
    accepted = storm.sent - storm.given_up
    return {
        "sent": f"{storm.sent:,}",
        "rate": f"{RATE:,}",
        "sending_seconds": f"{storm.sending_seconds:.1f}",
        "rate_sent": f"{storm.rate_sent:,.0f}",
        "seconds": f"{storm.seconds:.0f}",
        "bound50": f"{SLOWER_50:.0f}",
        "bound95": f"{SLOWER_95:.0f}",
        "duplicates": f"{100 * (TIMES - 1) // TIMES} %",
        "distinct": f"{DISTINCT:,}",
        "distinct_accepted": f"{storm.distinct_accepted:,}",
        "lost": str(storm.lost),
        "statuses": statuses,
        "without_retry_after": str(storm.without_retry_after),
        "first": f"{accepted - storm.later:,}",
        "later": f"{storm.later:,}",
        "given_up": f"{storm.given_up:,}",
        "idle50": f"{storm.idle_ms[0]:.0f}",
        "idle95": f"{storm.idle_ms[1]:.0f}",
        "slower50": f"{storm.slower[0]:.1f}",
        "slower95": f"{storm.slower[1]:.1f}",
        "pages": str(storm.pages),
        "failed_pages": str(storm.failed_pages),
    }


def _queries(figures: dict[str, inbox.Figure]) -> str:
    floor = next(iter(figures.values())).ms
    lines = ["| query | ms | × the first |", "|---|---:|---:|"]
    return "\n".join([*lines, *(f"| {name} | {one.ms:.1f} | {one.ms / floor:.1f} |" for name, one in figures.items())])


if __name__ == "__main__":
    sys.exit(main())
