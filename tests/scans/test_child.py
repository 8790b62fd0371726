"""The frame of every child: however it goes wrong, the parent learns how, lives on, and nothing is left."""

import os
import signal
import time

import pytest

from connector.scans.child import PATIENTLY, Bounds, ChildDied, Waiting, ask_child
from connector.scans.limits import MIB
from tests.scans.children import Children, forget_peak, memory, peak_memory

BOUNDS = Bounds(cpu=5, clock=20, memory=256 * MIB)
CHILD = "tests.scans.bad_children.any"
ENDS = {
    "eats memory": "out_of_memory",
    "spins": "time",
    "hangs": "time",
    "crashes": "killed",
    "raises": "killed",
    "says nonsense": "bad_answer",
    "refuses without a reason": "bad_answer",
}


def ask(how: str, bounds: Bounds = BOUNDS, waiting: Waiting = PATIENTLY) -> object:
    return ask_child(CHILD, [how], bounds, waiting=waiting, libraries=False)


@pytest.mark.parametrize("how", ENDS)
def test_a_child_that_goes_wrong_is_a_result(children: Children, how: str) -> None:
    bounds = Bounds(cpu=1, clock=2 if how == "hangs" else 20, memory=BOUNDS.memory)
    with pytest.raises(ChildDied) as death:
        ask(how, bounds)
    assert death.value.code == ENDS[how]
    assert children() == []
    assert ask("behaves") == {}


def test_what_the_child_takes_is_not_the_parents() -> None:
    forget_peak()
    before = memory()
    with pytest.raises(ChildDied):
        ask("eats memory", Bounds(cpu=5, clock=20, memory=900 * MIB))
    assert peak_memory() - before < 16 * MIB


def test_the_child_is_told_nothing_and_loads_next_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere")
    told = ask("tells")
    assert isinstance(told, dict)
    assert set(told["environment"]) <= {"PATH", "LANG", "LC_CTYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}
    assert told["input"] == ""
    assert not {"django", "numpy", "subprocess", "defusedxml", "connector.scans.metadata"} & set(told["modules"])


def test_the_parent_has_its_turn_while_it_waits_and_may_end_the_child(children: Children) -> None:
    turns: list[int] = []

    def third_time() -> None:
        turns.append(len(children()))
        if len(turns) == 3:
            raise InterruptedError

    began = time.monotonic()
    with pytest.raises(InterruptedError):
        ask("hangs", waiting=Waiting(0.2, third_time))
    assert turns == [1, 1, 1]
    assert time.monotonic() - began < 10
    assert children() == []


def test_a_child_that_the_system_kills_is_told_apart(children: Children) -> None:
    def kill() -> None:
        for pid in children():
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(ChildDied, match="killed"):
        ask("hangs", waiting=Waiting(0.2, kill))


def test_errors_of_the_child_reach_neither_log_nor_page(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ChildDied):
        ask("raises")
    assert capfd.readouterr() == ("", "")
