"""Work in real processes that may really be killed: forked off the loaded test process, about 100 ms each."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from django.db import connections

from connector.pairing import vendor
from labportal import faults

Action = Callable[[], object]
PATIENCE = 120.0
BROKEN, FAILED_THERE = 3, 10  # exit codes: an error of the test's own; the fault was done and did not kill


def start(action: Action, fault: str = "") -> int:
    """Run the action in a child armed with `fault`; its pid. The child never comes back into the test."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    code = BROKEN
    try:
        vendor.client.cache_clear()  # its open connections are the parent's
        armed = faults.arm(fault)
        with suppress(faults.InjectedFault):
            action()
        code = FAILED_THERE if armed.acted else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(pid: int) -> int:
    """The exit code, or minus the signal that ended it. A child that hangs is killed and fails the test."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError(f"the child did not end within {PATIENCE:.0f} s")


def run(action: Action, fault: str = "") -> int:
    """Start and wait."""
    return wait(start(action, fault))
