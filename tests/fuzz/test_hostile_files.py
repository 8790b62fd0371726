"""A short, repeatable cut of `make fuzz`: nothing is found with all safeguards, something is found without each."""

from __future__ import annotations

import pytest

from tests.fuzz import alone, harness
from tests.fuzz.controls import CONTROLS
from tests.fuzz.mutants import mutant
from tests.fuzz.report import WORDS, histogram

SEED = 20


@pytest.fixture(scope="module")
def outcome() -> harness.Outcome:
    return harness.run(SEED, 0, 3000)


def test_no_mutated_file_crashes_hangs_swells_or_writes_outside(outcome: harness.Outcome) -> None:
    assert outcome.findings == []
    assert outcome.count == 3000


def test_the_mutants_come_far_enough_to_mean_something(outcome: harness.Outcome) -> None:
    taken = sum(count for (_, verdict), count in outcome.verdicts.items() if verdict.startswith("read"))
    reasons = {verdict for _, verdict in outcome.verdicts}
    assert taken > 1000, histogram(outcome.verdicts)
    assert len(reasons) >= 25, histogram(outcome.verdicts)


def test_a_mutant_is_the_same_again() -> None:
    assert [mutant(SEED, n).data for n in range(50)] == [mutant(SEED, n).data for n in range(50)]
    assert len({mutant(SEED, n).data for n in range(500)}) > 480


def test_a_child_of_its_own_gives_the_same_answer() -> None:
    assert list(alone.differences(SEED, 3000, 6)) == []


# Chosen so that each finds something within a few hundred mutants.
@pytest.mark.parametrize("control", [name for name in CONTROLS if name != "time"])
def test_without_a_safeguard_the_harness_reports(control: str) -> None:
    found = harness.run(1, 0, 2500, control=control)
    assert set(found.troubles()) & set(CONTROLS[control][1]), found.findings


def test_a_reader_that_never_ends_is_reported_by_its_number() -> None:
    found = harness.run(1, 405, 415, control="time").findings
    assert [finding.trouble for finding in found] == ["hang"]
    assert 405 <= found[0].number < 415


def test_every_control_has_words_for_the_page() -> None:
    assert set(WORDS) == set(CONTROLS)
