"""`python -m tests.scans.bad_children.any CPU MEMORY HOW`."""

import os
import signal
import sys
import time

from connector.scans.in_child import answer


def misbehaving(how: str, *_: str) -> object:
    """The ways in which a child can end; any other word makes it tell of itself."""
    match how:
        case "eats memory":
            return len(b"x" * (1 << 30))
        case "behaves":
            return {}
        case "spins":
            end = time.process_time() + 10
            while time.process_time() < end:
                pass
        case "hangs":
            time.sleep(30)
        case "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "raises":
            raise RuntimeError
        case "says nonsense":
            sys.stdout.write("{")
            sys.stdout.flush()
            os._exit(0)
        case "refuses without a reason":
            sys.stdout.write('{"rejected": "whim", "member": ""}')
            sys.stdout.flush()
            os._exit(87)
        case _:
            return {"environment": dict(os.environ), "modules": sorted(sys.modules), "input": sys.stdin.read()}
    return {}


if __name__ == "__main__":
    sys.exit(answer(misbehaving))
