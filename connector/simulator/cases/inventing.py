"""Inventing a case from a seed: who, what, when, and how the export looks."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, date, datetime, timedelta

from connector.simulator.cases.people import NOTES, PATIENTS, PRACTICES
from connector.simulator.cases.prescriptions import prescription
from connector.simulator.cases.spec import CaseSpec, Family, MeshFormat

DEFAULT_NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TRIANGLES = (120_000, 160_000, 200_000, 260_000, 340_000)
CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0 or 1: codes are read out over the phone


def invent_case(
    seed: int,
    order_id: str,
    *,
    family: Family | None = None,
    triangles: int | None = None,
    patient: tuple[str, str] | None = None,
    now: datetime | None = None,
) -> CaseSpec:
    """A believable case for this seed and order id; `patient` is (first, last), `triangles` counts one jaw's."""
    dice = random.Random(f"{seed}:{order_id}")  # noqa: S311 - repeatable demo data, no secret
    chosen: Family = dice.choices(("restorative", "orthodontic"), (65, 35))[0]
    chosen = family or chosen
    practice = dice.choice(PRACTICES)
    names = dice.choice(PATIENTS)
    first, last = patient or names
    scanned = (now or DEFAULT_NOW).astimezone(UTC).replace(microsecond=0) - timedelta(minutes=dice.randint(5, 300))
    rx = prescription(dice, chosen)
    return CaseSpec(
        seed=seed,
        order_id=order_id,
        rx_id=str(uuid.UUID(int=dice.getrandbits(128), version=4)),
        order_code="".join(dice.choices(CODE_LETTERS, k=8)),
        family=chosen,
        triangles=_triangles(dice, triangles),
        patient_first=first,
        patient_last=last,
        chart_number=_chart_number(dice),
        doctor_id=practice.doctor_id,
        doctor_name=practice.doctor,
        doctor_license=practice.license,
        practice_id=practice.practice_id,
        practice_name=practice.name,
        practice_address=practice.address,
        procedure=rx.procedure,
        case_type=rx.case_type,
        due_date=_due_date(dice, now or DEFAULT_NOW),
        scan_date=scanned,
        notes=dice.choice(NOTES),
        items=rx.items,
        metadata_versions=_metadata_versions(dice, chosen),
        mesh_format=_mesh_format(dice, chosen),
        jaws_in_one=chosen == "orthodontic" and dice.random() < 0.2,
    )


def _triangles(dice: random.Random, asked: int | None) -> int:
    own = dice.choice(TRIANGLES)  # always drawn, so that asking for a size leaves the rest of the case as it was
    return asked if asked is not None else own


def _chart_number(dice: random.Random) -> str:
    return dice.choice(("", f"{dice.randint(1000, 99999)}", f"P-{dice.randint(100, 999)}/{dice.randint(10, 26)}"))


def _due_date(dice: random.Random, now: datetime) -> date:
    due = now.date() + timedelta(days=dice.randint(3, 14))
    return due + timedelta(days=max(0, 7 - due.weekday()) if due.weekday() >= 5 else 0)  # labs deliver on workdays


def _metadata_versions(dice: random.Random, family: Family) -> tuple[str, ...]:
    if family == "orthodontic":
        return ("3.0",)
    return ("1.0", "2.4", "5.0") if dice.random() < 0.35 else ("2.4", "5.0")


def _mesh_format(dice: random.Random, family: Family) -> MeshFormat:
    if family == "orthodontic":
        return "stl" if dice.random() < 0.85 else "ply"
    return "ply" if dice.random() < 0.85 else "stl"
