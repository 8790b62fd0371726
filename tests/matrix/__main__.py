"""`make isolation`: the matrix, and with it the other proofs of who may see what; writes docs/isolation.md.

Two processes, each with a database of its own, since a machine has two cores at least. `--cut` is the short run of
`.ci/run`, the matrix alone with fewer visitors: the other proofs are in `make test` anyway. What else is given goes to
pytest, in one process, and writes nothing.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.matrix.page import Result, printed, write

ROOT = Path(__file__).resolve().parents[2]
MATRIX, DONE = "tests/matrix/test_matrix.py", ("tests/matrix/test_done.py", "tests/matrix/test_threads.py")
# What is proven elsewhere about the same walls: each door by itself, what is left behind on the way, who comes in.
ALONG = (
    "tests/isolation", "tests/audit", "tests/break_glass", "tests/signin/test_second_step.py",
    "tests/signin/test_sessions.py", "tests/functional/test_sign_in.py", "tests/lms/test_keys.py",
    "tests/lms/test_key_limits.py", "tests/pairing/test_sealing.py", "tests/pairing/test_rotation_under_load.py",
    "tests/canary",
)  # fmt: skip
# For minutes alike, and ten at most: the matrix asks of each address more than the first, and `make test` has both.
LEFT_OUT = ("--ignore=tests/isolation/test_every_url.py", "--ignore=tests/isolation/test_headers.py")
ONE_WALL = f"{MATRIX}::test_with_one_wall"
CUT = ((MATRIX, f"--deselect={ONE_WALL}"), (ONE_WALL, *DONE))
WHOLE = ((MATRIX, "tests/signin/test_guesses.py"), (*DONE, *ALONG, *LEFT_OUT))


def command(folder: Path, number: int, given: list[str]) -> "subprocess.Popen[bytes]":
    environment = os.environ | {
        "ISOLATION_MATRIX": "1",  # tests/matrix/conftest.py: without it nothing there is a test
        "REQUIRE_BROWSER": "1",
        "TEST_DATA_DIR": str(ROOT / ".data" / f"isolation-{number}"),
    }
    told = ["-p", "tests.matrix.report", f"--result={folder / str(number)}", *given]
    return subprocess.Popen([sys.executable, "-m", "pytest", *told], cwd=ROOT, env=environment)


def main(given: list[str]) -> int:
    cut, others = "--cut" in given, [each for each in given if each != "--cut"]
    parts = ((MATRIX, *DONE),) if others else CUT if cut else WHOLE
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        running = [command(folder, number, [*given, *part]) for number, part in enumerate(parts)]
        try:
            statuses = [each.wait() for each in running]
        finally:
            for each in running:
                each.terminate()
        whole = Result()
        for written in sorted(folder.iterdir()):
            whole.add(Result(**json.loads(written.read_text())))
    whole.seconds = time.monotonic() - began
    print(printed(whole))  # noqa: T201 - the command's answer
    good = not any(statuses) and not whole.skipped
    if good and not given:
        write(whole)
        print("docs/isolation.md is written.")  # noqa: T201 - as above
    return 0 if good else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # its processes end with it
    sys.exit(main(sys.argv[1:]))
