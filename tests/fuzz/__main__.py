"""`make fuzz`: mutated files, a sample of them the production way, mutated answers, controls; writes its page."""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzz import alone, answers, harness
from tests.fuzz.controls import CONTROLS
from tests.fuzz.mutants import mutant
from tests.fuzz.report import PAGE, Report


def main() -> int:
    """0 when nothing was found and each control reported."""
    options = _options()
    if options.only is not None:
        return _only(options.seed, options.only)
    began = time.monotonic()
    print(f"{options.files:,} mutated files …", flush=True)  # noqa: T201 - a command's output
    files = harness.run(options.seed, 0, options.files)
    print(f"{options.sample} of them in a child of their own …", flush=True)  # noqa: T201 - as above
    differences = list(alone.differences(options.seed, options.files, options.sample))
    print(f"{options.answers:,} mutated answers …", flush=True)  # noqa: T201 - as above
    _, answer_findings = answers.run(options.seed, 0, options.answers)
    print(f"{len(CONTROLS)} controls …", flush=True)  # noqa: T201 - as above
    controls = {name: harness.run(options.seed, 0, 2500, control=name) for name in CONTROLS}
    report = Report(
        options.seed, files, differences, options.sample, options.answers, answer_findings, controls,
        time.monotonic() - began,
    )  # fmt: skip
    print(report.as_text())  # noqa: T201 - as above
    if report.troubles():
        print("Something was found; docs/hostile-files.md is not written.")  # noqa: T201 - as above
        return 1
    if options.write:
        report.write()
        print(f"{PAGE.relative_to(harness.PROJECT)} is written.")  # noqa: T201 - as above
    return 0


def _only(seed: int, number: int) -> int:
    """One mutant again: its zip is kept, to be looked at."""
    path = harness.PROJECT / ".data" / f"mutant-{seed}-{number}.zip"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(mutant(seed, number).data)
    outcome = harness.run(seed, number, number + 1)
    print(path, *outcome.verdicts, *outcome.findings, sep="\n")  # noqa: T201 - a command's output
    return bool(outcome.findings)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument(
        "--sample", type=int, default=300, help="files that are examined in a child of their own as well"
    )
    parser.add_argument("--answers", type=int, default=50_000)
    parser.add_argument("--only", type=int, help="one mutant, by its number")
    parser.add_argument("--no-write", dest="write", action="store_false", help="leave docs/hostile-files.md as it is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
