"""Mesh readers and previews on shapes whose every measure is known."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.scans.examination_record import PROBLEM_WORDS
from connector.scans.mesh import Mesh, MeshRejected
from connector.scans.ply import read_ply
from connector.scans.preview import thinned
from connector.scans.stl import read_stl
from tests.scans.shapes import CUBE_FACES, CUBE_POINTS, ply, sphere, stl, text_ply, text_stl

SHADES = np.arange(24, dtype=np.uint8).reshape(8, 3) * 10
QUADS = b"4 0 1 3 2\n4 4 6 7 5\n"


def refused(data: bytes) -> str:
    with pytest.raises(MeshRejected) as caught:
        read_stl(data) if b"ply" not in data[:4] else read_ply(data)
    return caught.value.code


@pytest.mark.parametrize("data", [stl(), text_stl(), text_stl().replace(b"\n", b"\r\n"), text_stl().upper()])
def test_an_stl_cube_has_eight_corners_and_its_size(data: bytes) -> None:
    mesh = read_stl(data)
    assert (len(mesh.vertices), len(mesh.faces), mesh.box_mm) == (8, 12, (10.0, 20.0, 30.0))


def test_welding_keeps_every_triangle_where_it_was() -> None:
    points, faces = sphere(12)
    mesh = read_stl(stl(points, faces))
    assert len(mesh.vertices) == len(points)
    assert np.array_equal(mesh.vertices[mesh.faces], points[faces] + np.float32(0))


@pytest.mark.parametrize("data", [ply(order="<"), ply(order=">"), text_ply(), ply().replace(b"\n", b"\r\n", 9)])
def test_a_ply_cube_is_read_in_every_encoding(data: bytes) -> None:
    mesh = read_ply(data).mesh
    assert np.array_equal(mesh.vertices, CUBE_POINTS)
    assert np.array_equal(mesh.faces, CUBE_FACES)


@pytest.mark.parametrize("data", [ply(colors=SHADES), ply(colors=SHADES, order=">"), text_ply(colors=SHADES)])
def test_colours_are_read(data: bytes) -> None:
    colors = read_ply(data).mesh.colors
    assert colors is not None
    assert np.array_equal(colors, SHADES)


def test_extra_properties_are_stepped_over_and_texture_places_kept() -> None:
    places = np.linspace(0, 1, 72, dtype=np.float32).reshape(12, 6)
    found = read_ply(ply(uv=places))
    assert found.texture == "skin.jpg"
    assert found.uv is not None
    assert np.array_equal(found.uv[CUBE_FACES[-1]], places[-1].reshape(3, 2))


def test_quads_become_two_triangles() -> None:
    data = text_ply(faces=CUBE_FACES[:2]).rpartition(b"3 0 1 3")[0] + QUADS
    assert read_ply(data).mesh.faces.tolist() == [[0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5]]


def test_rows_of_different_length_are_read_one_by_one() -> None:
    data = text_ply(faces=CUBE_FACES[:2]).rpartition(b"3 0 1 3")[0] + b"3 0 1 3\n4 4 6 7 5\n"
    assert read_ply(data).mesh.faces.tolist() == [[0, 1, 3], [4, 6, 7], [4, 7, 5]]


def head(**changes: str) -> bytes:
    text = (
        "ply\nformat binary_little_endian 1.0\nelement vertex 8\nproperty float x\nproperty float y\nproperty float z\n"
    )
    text += "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    for old, new in changes.items():
        text = text.replace(old.replace("_", " "), new)
    return text.encode()


NAN = np.where(CUBE_POINTS == 30, np.nan, CUBE_POINTS).astype(np.float32)
FAR = np.where(CUBE_POINTS == 30, np.inf, CUBE_POINTS).astype(np.float32)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "mesh_truncated"),
        (stl()[:-1], "mesh_truncated"),
        (stl() + b"\0", "mesh_size"),
        (stl()[:80] + struct.pack("<L", 4_000_000_000) + stl()[84:], "mesh_truncated"),
        (bytes(84), "mesh_empty"),
        (stl(NAN), "mesh_not_finite"),
        (stl(FAR), "mesh_not_finite"),
        (text_stl()[:-30], "mesh_truncated"),
        (text_stl().replace(b"vertex 1", b"vertex one ", 1), "mesh_format"),
        (text_stl().replace(b"facet normal", b"", 1), "mesh_format"),
        (text_stl(NAN), "mesh_not_finite"),
        (ply()[:-1], "mesh_truncated"),
        (ply(NAN), "mesh_not_finite"),
        (text_ply(NAN), "mesh_not_finite"),
        (ply(faces=CUBE_FACES + 1), "mesh_index"),
        (ply(faces=CUBE_FACES - 1), "mesh_index"),
        (text_ply().replace(b"3 0 1 3", b"3 0 1 2.5"), "mesh_index"),
        (text_ply().replace(b"10.0", b"ten", 1), "mesh_format"),
        (head(element_vertex="element vertex 99999999 \nelement other"), "mesh_format"),
        (head().replace(b"vertex 8", b"vertex 99999999999"), "mesh_truncated"),
        (head().replace(b"face 1", b"face 4000000000"), "mesh_truncated"),
        (head().replace(b"vertex 8", b"vertex -8"), "mesh_format"),
        (head().replace(b"uchar int", b"float int"), "mesh_format"),
        (head().replace(b"float x", b"quad x"), "mesh_format"),
        (head().replace(b"float y", b"float x"), "mesh_format"),
        (head().replace(b"1.0", b"7.0"), "mesh_format"),
        (head().replace(b"end_header", b"comment " + b"x" * 70_000 + b"\nend_header"), "mesh_format"),
        (head().replace(b"element face 1\nproperty list uchar int vertex_indices\n", b"") + bytes(96), "mesh_empty"),
        (head() + bytes(96) + b"\xff" * 20, "mesh_truncated"),
        (b"ply\n", "mesh_format"),
    ],
)
def test_a_broken_mesh_is_refused_with_its_reason(data: bytes, code: str) -> None:
    assert refused(data) == code


@settings(max_examples=300, deadline=None, database=None)
@given(
    st.sampled_from(
        [stl(), text_stl(), ply(colors=SHADES), ply(order=">"), text_ply(), ply(uv=np.zeros((12, 6), np.float32))]
    ),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5),
    st.one_of(st.none(), st.integers(0, 800)),
)
def test_a_mutated_mesh_is_refused_or_sound_and_nothing_else(
    data: bytes, changes: list[tuple[int, int]], cut: int | None
) -> None:
    mutant = bytearray(data)
    for place, value in changes:
        mutant[place % len(mutant)] = value
    try:
        mesh = read_ply(mutant[:cut]).mesh if data.startswith(b"ply") else read_stl(mutant[:cut])
    except MeshRejected as refusal:
        assert refusal.code in PROBLEM_WORDS  # noqa: PT017  # a mutant may also be sound
    else:
        assert np.isfinite(mesh.vertices).all()
        assert 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices)


def test_a_large_ball_is_thinned_and_stays_a_ball() -> None:
    points, faces = sphere(100)
    small = thinned(Mesh(points, faces), 5000)
    assert 4000 < len(small.faces) <= 5000
    assert np.linalg.norm(small.vertices, axis=1) == pytest.approx(15.0, abs=0.15)


def test_colours_stay_where_they_were_when_a_mesh_is_thinned() -> None:
    points, faces = sphere(100)
    colors = np.where(points[:, [2]] > 0, [[250, 0, 0]], [[0, 0, 250]]).astype(np.uint8)
    small = thinned(Mesh(points, faces, colors), 5000)
    assert small.colors is not None
    high, low = small.vertices[:, 2] > 2, small.vertices[:, 2] < -2
    assert (small.colors[high] == (250, 0, 0)).all()
    assert (small.colors[low] == (0, 0, 250)).all()


def test_loose_triangles_that_share_no_corner_are_thinned_too() -> None:
    corners = np.random.default_rng(1).uniform(0, 40, (9000, 3)).astype(np.float32)
    mesh = Mesh(corners, np.arange(9000, dtype=np.int32).reshape(-1, 3), np.full((9000, 3), 9, np.uint8))
    assert len(thinned(mesh, 500).faces) <= 500


def test_a_small_mesh_is_shown_as_it_is() -> None:
    assert len(thinned(read_stl(stl())).faces) == 12
