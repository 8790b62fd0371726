"""Fault points: inert unless a setting allows them, refused in production, and each named once in the code."""

import errno
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from labportal import faults
from labportal.env import BASE_DIR
from labportal.faults import POINTS, InjectedFault, UnknownFault, arm, disarm, fault

SOURCES = [path for folder in ("connector", "labportal") for path in (BASE_DIR / folder).rglob("*.py")]
CALL = re.compile(r'^\s+fault\("([^"]*)"\)', re.MULTILINE)


@pytest.fixture(autouse=True)
def unarmed() -> Iterator[None]:
    yield
    disarm()


def calls() -> Counter[str]:
    return Counter(name for path in SOURCES for name in CALL.findall(path.read_text()))


def start_with(**environment: str) -> "subprocess.CompletedProcess[str]":
    """What a web or worker process would have armed after its start."""
    code = "import django; django.setup(); from labportal import faults; print(faults._armed is not None)"
    return subprocess.run(
        [sys.executable, "-c", code], env={"PATH": "", **environment, "DJANGO_SETTINGS_MODULE": "labportal.settings"},
        cwd=BASE_DIR, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_every_point_is_named_once_in_the_code_and_every_name_is_registered() -> None:
    assert calls() == Counter(dict.fromkeys(POINTS, 1))


def test_a_point_does_nothing_while_none_is_armed() -> None:
    fault("download.after_fsync")
    assert faults._armed is None


def test_a_point_costs_nothing_worth_measuring_while_none_is_armed() -> None:
    began = time.perf_counter()
    for _ in range(100_000):
        fault("download.after_fsync")
    assert time.perf_counter() - began < 0.5


def test_it_acts_at_the_named_passing_only() -> None:
    armed = arm("poll.after_list:raise:2")
    fault("poll.after_list")
    fault("poll.after_turn")
    with pytest.raises(InjectedFault):
        fault("poll.after_list")
    fault("poll.after_list")
    assert armed.passed == {"poll.after_list": 3, "poll.after_turn": 1}


def test_several_points_and_every_passing() -> None:
    arm("poll.after_list:enospc:*, poll.after_turn:sleep=0.05")
    for _ in range(2):
        with pytest.raises(OSError, match="No space left") as full:
            fault("poll.after_list")
        assert full.value.errno == errno.ENOSPC
    began = time.monotonic()
    fault("poll.after_turn")
    assert time.monotonic() - began >= 0.05


@pytest.mark.parametrize(
    "text",
    ["poll.after_lost:kill", "poll.after_list", "poll.after_list:explode", "poll.after_list:sleep=long",
     "poll.after_list:raise:often", "poll.after_list:raise,nothing:kill"],
)  # fmt: skip
def test_a_misspelt_fault_is_an_error(text: str) -> None:
    with pytest.raises(UnknownFault):
        arm(text)


def test_a_point_that_is_not_registered_is_an_error_once_any_is_armed() -> None:
    arm("")
    with pytest.raises(UnknownFault):
        fault("download.after_lunch")


def test_the_environment_arms_only_where_the_setting_allows_it() -> None:
    wanted = {"FAULT": "download.after_fsync:kill", "SECRET_KEY": "x" * 60}
    assert start_with(**wanted).stdout == "False\n"
    assert start_with(**wanted, FAULTS_ALLOWED="1").stdout == "True\n"


def test_a_process_with_a_misspelt_fault_does_not_start() -> None:
    started = start_with(FAULT="download.after_lunch:kill", FAULTS_ALLOWED="1")
    assert started.returncode != 0
    assert "UnknownFault" in started.stderr
