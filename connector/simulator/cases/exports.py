"""Builds the zips of one case: the full export of its family, and the gallery alone."""

from __future__ import annotations

from pathlib import Path

from connector.simulator.cases.archive import write_zip
from connector.simulator.cases.gallery import gallery_pictures
from connector.simulator.cases.orthodontic import orthodontic_members
from connector.simulator.cases.restorative import restorative_members
from connector.simulator.cases.spec import CaseSpec


def full_members(spec: CaseSpec) -> list[tuple[str, bytes]]:
    """Every file of the full export as (name in the zip, content), in the zip's order."""
    return restorative_members(spec) if spec.family == "restorative" else orthodontic_members(spec)


def build_full_zip(spec: CaseSpec, out: Path) -> None:
    """Write the full export (meshes, metadata, prescription, gallery) to `out`; equal specs, equal bytes."""
    write_zip(out, full_members(spec), spec.scan_date)


def build_thumbnail_zip(spec: CaseSpec, out: Path) -> None:
    """Write the gallery pictures alone to `out`; equal specs, equal bytes."""
    write_zip(out, gallery_pictures(spec), spec.scan_date)
