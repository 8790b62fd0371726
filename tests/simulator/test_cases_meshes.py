"""The invented jaws as a lab would measure them: triangles, millimetres, colours, bite, margin line."""

from __future__ import annotations

import struct
import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from connector.simulator.cases import CaseSpec
from connector.simulator.cases.jaws import jaw_before, lower_jaw, margin_line, upper_jaw
from connector.simulator.cases.meshfiles import Mesh
from tests.simulator.test_cases_exports import TRIANGLES, files_in, full_zip, only, orthodontic, restorative


def declared(ply: bytes) -> dict[str, int]:
    lines = ply[: ply.index(b"end_header")].decode().split("\n")
    return {line.split()[1]: int(line.split()[2]) for line in lines if line.startswith("element")}


def points_of(ply: bytes) -> NDArray[np.float32]:
    start = ply.index(b"end_header\n") + len(b"end_header\n")
    rows = np.frombuffer(ply, [("at", "<f4", (3,)), ("rgb", "u1", (3,))], declared(ply)["vertex"], start)
    return np.asarray(rows["at"])


@pytest.mark.parametrize("asked", [20_000, 100_000, 400_000])
@pytest.mark.parametrize("build", [upper_jaw, lower_jaw])
def test_a_jaw_has_the_asked_number_of_triangles_within_ten_percent(build: type[Mesh], asked: int) -> None:
    mesh = build(replace(restorative(3), triangles=asked))  # type: ignore[call-arg, arg-type] # a function, see above
    assert abs(len(mesh.faces) - asked) < asked / 10


@pytest.mark.parametrize("seed", range(12))
def test_an_arch_has_the_size_of_a_real_one_in_millimetres(seed: int) -> None:
    for mesh in (upper_jaw(orthodontic(seed)), lower_jaw(orthodontic(seed))):
        wide, deep, tall = mesh.vertices.max(axis=0) - mesh.vertices.min(axis=0)
        assert 48 < wide < 66
        assert 42 < deep < 64
        assert 15 < tall < 26


def test_the_jaws_meet_around_the_bite_plane() -> None:
    upper, lower = upper_jaw(restorative(3)), lower_jaw(restorative(3))
    assert -3 < upper.vertices[:, 2].min() < 0, "upper cusps reach a little below the plane"
    assert 0 < lower.vertices[:, 2].max() < 4, "lower cusps reach a little above it"
    assert upper.vertices[:, 2].mean() > 2
    assert lower.vertices[:, 2].mean() < -2


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 7])
def test_every_vertex_is_finite_and_every_triangle_has_vertices(seed: int) -> None:
    for mesh in (upper_jaw(restorative(seed)), lower_jaw(restorative(seed))):
        assert np.isfinite(mesh.vertices).all()
        assert mesh.faces.min() == 0
        assert mesh.faces.max() == len(mesh.vertices) - 1


@pytest.mark.parametrize(("build", "side"), [(upper_jaw, -1), (lower_jaw, 1)])
def test_biting_surfaces_face_the_other_jaw(build: type[Mesh], side: int) -> None:
    mesh = build(orthodontic(0))  # type: ignore[call-arg, arg-type] # a function, see above
    corners = mesh.vertices[mesh.faces]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]
    biting = np.abs(corners[:, :, 2].mean(axis=1)) < 1.0
    assert (facing[biting] * side > 0).mean() > 0.8


def test_teeth_are_off_white_and_gum_is_pink() -> None:
    colours = upper_jaw(restorative(3)).colours.astype(int)
    pink = colours[:, 0] - colours[:, 1] > 45
    bright = colours.min(axis=1) > 170
    assert 0.3 < pink.mean() < 0.8
    assert bright.mean() > 0.15


def test_a_crown_prepared_tooth_is_lower_than_before() -> None:
    spec = restorative(12)
    middle = margin_line(spec, 13).mean(axis=0)
    tips = [
        mesh.vertices[np.hypot(*(mesh.vertices[:, :2] - middle[:2]).T) < 2.5, 2].min()
        for mesh in (jaw_before(spec, upper=True), upper_jaw(spec))
    ]
    assert tips[1] - tips[0] > 1.0, "upper teeth point down"


@pytest.mark.parametrize(("seed", "tooth"), [(3, 20), (12, 13), (2, 12), (1, 8)])
def test_the_margin_line_is_a_ring_on_the_scanned_surface(seed: int, tooth: int) -> None:
    mesh = upper_jaw(restorative(seed)) if tooth < 17 else lower_jaw(restorative(seed))
    line = margin_line(restorative(seed), tooth)
    nearest = np.linalg.norm(mesh.vertices[None, :, :] - line[::6, None, :], axis=-1).min(axis=1)
    assert nearest.max() < 1.0, "farther from the mesh than its vertices are from each other"
    assert np.allclose(line[0], line[-1])


def test_the_margin_file_holds_the_margin_line_in_millimetres() -> None:
    rows = only(files_in(full_zip(restorative(3))), "_20.pts").decode().splitlines()
    written = np.array([[float(word) for word in row.split()] for row in rows])
    assert np.allclose(written, margin_line(restorative(3), 20), atol=1e-4)


def test_the_die_with_ditch_is_a_small_piece_of_the_jaw() -> None:
    files = files_in(full_zip(restorative(3)))
    die, jaw = points_of(only(files, "with_ditch.ply")), points_of(only(files, "lower_jaw.ply"))
    assert np.ptp(die[:, 1]) < np.ptp(jaw[:, 1]) / 1.5
    assert len(die) < len(jaw) / 3


def test_a_ply_is_as_long_as_its_header_says() -> None:
    ply = only(files_in(full_zip(restorative(3))), "upper_jaw.ply")
    body = len(ply) - ply.index(b"end_header\n") - len(b"end_header\n")
    row = 13 + (25 if b"texcoord" in ply[:600] else 0) + (4 if b"int object" in ply[:600] else 0)
    assert body == declared(ply)["vertex"] * 15 + declared(ply)["face"] * row


@pytest.mark.parametrize(("spec", "jaws"), [(orthodontic(0), 1), (orthodontic(2), 2)])
def test_an_stl_is_84_bytes_and_50_for_each_triangle(spec: CaseSpec, jaws: int) -> None:
    stl = next(content for name, content in files_in(full_zip(spec)).items() if name.endswith(".stl"))
    (count,) = struct.unpack_from("<L", stl, 80)
    assert len(stl) == 84 + 50 * count
    assert abs(count - jaws * TRIANGLES) < jaws * TRIANGLES / 10


def test_a_jaw_of_200_000_triangles_takes_seconds_not_minutes() -> None:
    started = time.perf_counter()
    upper_jaw(replace(restorative(5), triangles=200_000))
    assert time.perf_counter() - started < 8
