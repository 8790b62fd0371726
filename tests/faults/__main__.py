"""`make faults`: every fault case, the table, and docs/reliability.md. `--cut` is the short run of `.ci/run`; what else
is given goes to pytest: `-k refresh`, `--family "kill -9"`, a file. Only the whole run writes the document."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def main(given: list[str]) -> int:
    os.environ["FAULT_CASES"] = "1"  # tests/faults/conftest.py: without it no case is run
    os.environ.setdefault("TEST_DATA_DIR", str(HERE.parent.parent / ".data" / "faults"))
    files = [argument for argument in given if argument.endswith(".py") or "::" in argument]
    arguments = ["-p", "tests.faults.report", *(given if given else ["--write"])]
    return int(pytest.main([*arguments, *([] if files else [str(HERE)])]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
