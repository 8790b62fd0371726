"""Equal specs give equal bytes, and a re-scan changes the upper jaw alone."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from connector.simulator.cases import CaseSpec, build_thumbnail_zip
from connector.simulator.cases.gallery import _pictures
from connector.simulator.cases.jaws import _surface
from tests.simulator.test_cases_exports import files_in, full_zip, only, orthodontic, restorative, thumbnail_zip

BUILD = """
import hashlib, sys
from pathlib import Path
from connector.simulator.cases import build_full_zip, invent_case
out = Path(sys.argv[1])
build_full_zip(invent_case(8, "100008", family="restorative", triangles=20_000), out)
print(hashlib.sha256(out.read_bytes()).hexdigest())
"""


def test_the_same_seed_gives_the_same_case() -> None:
    assert restorative(3) == restorative(3)


def test_another_seed_gives_another_case() -> None:
    assert restorative(3).rx_id != restorative(4).rx_id


def test_the_same_spec_gives_the_same_thumbnail_bytes_when_drawn_again(tmp_path: Path) -> None:
    first = thumbnail_zip(restorative(3))
    _pictures.cache_clear()
    _surface.cache_clear()
    build_thumbnail_zip(restorative(3), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == first


def test_another_process_with_another_hash_seed_builds_the_same_bytes(tmp_path: Path) -> None:
    other = "77" if os.environ.get("PYTHONHASHSEED") != "77" else "78"
    environment = os.environ | {"PYTHONHASHSEED": other, "PYTHONPATH": str(Path(__file__).parents[2])}
    built = subprocess.run(
        [sys.executable, "-c", BUILD, str(tmp_path / "case.zip")],
        env=environment,
        capture_output=True,
        check=True,
        text=True,
    )
    assert built.stdout.strip() == hashlib.sha256(full_zip(restorative(8))).hexdigest()


@pytest.mark.parametrize(
    ("spec", "upper", "lower"),
    [
        (restorative(3), "upper_jaw.ply", "lower_jaw.ply"),
        (restorative(12), "upper_jaw.ply", "lower_jaw.ply"),
        (orthodontic(0), "occlusion_u.stl", "occlusion_l.stl"),
    ],
)
def test_a_rescan_changes_the_upper_jaw_and_leaves_the_lower_one(spec: CaseSpec, upper: str, lower: str) -> None:
    first, second = files_in(full_zip(spec)), files_in(full_zip(replace(spec, revision=2)))
    assert only(first, upper) != only(second, upper)
    assert only(first, lower) == only(second, lower)


def test_a_rescan_is_seen_in_the_gallery() -> None:
    spec = restorative(12)
    name = f"gallery_#{spec.order_id}_penta_upper_m.jpg"
    assert files_in(thumbnail_zip(spec))[name] != files_in(thumbnail_zip(replace(spec, revision=2)))[name]


def test_the_margin_of_a_rescanned_upper_stump_moves() -> None:
    spec = restorative(12)
    first, second = files_in(full_zip(spec)), files_in(full_zip(replace(spec, revision=2)))
    assert only(first, ".pts") != only(second, ".pts")
