"""A command that is told to stop stops, wherever the signal meets it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOSES_IT = {
    "in a finalizer": """
class Cleared:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
Cleared()
""",
    "in a library that bears all exceptions": """
try:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.2)
except Exception:
    pass
""",
}
COMMAND = """
import os, signal, time
from labportal.running.processes import Stopped, raise_on_signals, stop_if_told
raise_on_signals()
try:
    {loses_it}
    while True:
        stop_if_told()
        time.sleep(0.1)
except Stopped:
    print("stopped")
"""


@pytest.mark.parametrize("way", LOSES_IT)
def test_a_signal_whose_exception_is_lost_still_ends_the_command(way: str) -> None:
    code = COMMAND.format(loses_it=LOSES_IT[way].strip().replace("\n", "\n    "))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr


def test_a_second_signal_does_not_disturb_the_stopping() -> None:
    code = COMMAND.format(loses_it="pass").replace(
        'print("stopped")', 'os.kill(os.getpid(), signal.SIGINT)\n    print("stopped")'
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code.replace("try:\n", "print('ready', flush=True)\ntry:\n", 1)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60)[0] == "stopped\n"
