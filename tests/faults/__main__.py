"""`make faults`: every fault case, the table, and docs/reliability.md. `--cut` is the short run of `.ci/run`; what else
is given goes to pytest: `-k refresh`, `--family "kill -9"`, a file. Only the whole run writes the document, and only
if it reaches its floors (floors.py) within its time; `--no-time-limit` lets a slow machine pass, and writes nothing.

The cases wait more than they work, so three processes share them, each with a database of its own.
"""

import argparse
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.document import as_text, write
from tests.faults.floors import too_little, too_long
from tests.faults.report import Row, read_rows

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
NOTHING_TO_RUN = 5  # pytest's exit code: a share may be empty, the whole may not


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="make faults", add_help=False, allow_abbrev=False)
    parser.add_argument("--shares", type=int, default=3)
    parser.add_argument("--no-time-limit", dest="timed", action="store_false")
    options, others = parser.parse_known_args(given)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the shares end with us
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / str(number) for number in range(options.shares)]
        code = _run(others, files)
        rows = read_rows(files)
    print(as_text(rows), flush=True)  # noqa: T201 - the command's answer
    minutes = (time.monotonic() - began) / 60
    failed = code != 0 or any(not row.passed for row in rows)
    lines, bad, late = judge_run(rows, others, minutes, timed=options.timed)
    print(*lines, sep="\n", end="\n" if lines else "", flush=True)  # noqa: T201 - the command's answer
    if not (failed or bad or late or others):
        machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
        write(rows, machine, minutes, ROOT / "docs" / "reliability.md")
    return code or int(failed or bad)


def judge_run(rows: list[Row], others: list[str], minutes: float, *, timed: bool) -> tuple[list[str], bool, bool]:
    """What there is to say of the run as a whole; whether it has failed by it; whether it took too long. A chosen
    part has no floor and no time."""
    lacking = [] if others else [f"TOO LITTLE: {line}" for line in too_little(rows)]
    words, late = too_long(minutes, cut="--cut" in others) if others in ([], ["--cut"]) else ("", False)
    return [*lacking, *([words] if words else [])], bool(lacking) or (late and timed), late


def _run(others: list[str], files: list[Path]) -> int:
    """The worst exit code of the processes."""
    shares = [_start(others, file, f"{number}/{len(files)}") for number, file in enumerate(files)]
    try:
        codes = [share.wait() for share in shares]
    finally:
        for share in shares:
            share.terminate()
            share.wait()
    ran = [code for code in codes if code != NOTHING_TO_RUN]
    return max(ran, key=abs) if ran else NOTHING_TO_RUN


def _start(others: list[str], rows: Path, share: str) -> "subprocess.Popen[bytes]":
    data = Path(os.environ.get("TEST_DATA_DIR", ROOT / ".data" / "faults"))
    named = any(argument.endswith(".py") or "::" in argument for argument in others)
    command = [sys.executable, "-m", "pytest", "-p", "tests.faults.report", "--share", share, "--rows", str(rows)]
    return subprocess.Popen(
        [*command, *others, *([] if named else [str(HERE)])],
        cwd=ROOT,
        # FAULT_CASES: without it no case is run (tests/faults/conftest.py).
        env=os.environ | {"FAULT_CASES": "1", "TEST_DATA_DIR": str(data / share.partition("/")[0])},
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
