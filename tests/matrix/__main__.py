"""`make isolation`: the matrix, and with it every other proof of who may see what; writes docs/isolation.md.

`--cut` is the short run of `.ci/run` (the other proofs are in `make test` anyway); what else is given goes to pytest.
"""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TESTS = HERE.parent
ALONG = ("isolation", "audit", "signin")


def main(given: list[str]) -> int:
    os.environ["ISOLATION_MATRIX"] = "1"  # tests/matrix/conftest.py: without it nothing here is a test
    os.environ.setdefault("TEST_DATA_DIR", str(TESTS.parent / ".data" / "isolation"))
    along = [] if given else [str(TESTS / name) for name in ALONG]
    return int(pytest.main(["-p", "tests.matrix.report", *(given or ["--write"]), str(HERE), *along]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
