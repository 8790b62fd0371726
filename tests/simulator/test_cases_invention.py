"""Invented cases are varied, believable, and as the caller asked."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

from connector.simulator.cases import invent_case

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
MANY = [invent_case(seed, str(200_000 + seed), now=NOW) for seed in range(300)]


def test_both_families_come_up() -> None:
    families = Counter(case.family for case in MANY)
    assert min(families["restorative"], families["orthodontic"]) > 60


def test_patients_have_names_of_many_languages() -> None:
    names = "".join(case.patient_first + case.patient_last for case in MANY)
    assert {"ü", "Ø", "é", "כ", "م", "田", "'", "-"} <= set(names)


def test_at_least_eight_practices_send_cases() -> None:
    assert len({case.practice_id for case in MANY}) >= 8


def test_the_usual_work_comes_up() -> None:
    treatments = {item.treatment for case in MANY for item in case.items}
    assert {"Crown", "Bridge: Pontic", "Inlay", "Veneer", "Implant: Screw Retained"} <= treatments
    assert "Invisalign + iRecord" in {case.case_type for case in MANY}


def test_cases_are_due_on_a_workday_some_days_ahead() -> None:
    assert all(3 <= (case.due_date - NOW.date()).days <= 16 for case in MANY)
    assert all(case.due_date.weekday() < 5 for case in MANY)


def test_cases_were_scanned_shortly_before_now_in_utc() -> None:
    assert all(timedelta(0) < NOW - case.scan_date < timedelta(hours=6) for case in MANY)
    assert all(case.scan_date.tzinfo is UTC for case in MANY)


def test_each_case_has_an_rx_id_of_its_own_that_is_a_uuid() -> None:
    assert len({uuid.UUID(case.rx_id) for case in MANY}) == len(MANY)


def test_the_caller_chooses_family_size_and_patient() -> None:
    case = invent_case(1, "5", family="orthodontic", triangles=123_000, patient=("Ada", "Zcanary"), now=NOW)
    assert (case.family, case.triangles) == ("orthodontic", 123_000)
    assert (case.patient_first, case.patient_last) == ("Ada", "Zcanary")


def test_choosing_a_size_leaves_the_rest_of_the_case_alone() -> None:
    assert invent_case(1, "5", triangles=9_000, now=NOW).rx_id == invent_case(1, "5", now=NOW).rx_id
