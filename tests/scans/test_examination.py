"""Whole zips through the child process: what is found, what is written, and what a dying child does."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from connector.scans.examination import ExaminationFailed, examine
from connector.scans.examination_record import Examination, ExaminedFile, problem
from connector.scans.pictures import PictureRejected, read_picture
from connector.scans.ply import read_ply
from connector.scans.record_json import BadRecord, read_record, write_record
from connector.scans.rejection import ArchiveRejected
from connector.simulator.cases import build_full_zip, invent_case
from tests.scans.hostile import MESH
from tests.scans.shapes import CUBE_FACES, ply, sphere, stl
from tests.scans.zips import Part, build

FIXTURES = Path(__file__).parent / "fixtures"
RED = np.full((8, 3), (200, 10, 20), np.uint8)


def picture(kind: str = "JPEG", size: tuple[int, int] = (1600, 1200), color: tuple[int, ...] = (10, 180, 30)) -> bytes:
    memory = io.BytesIO()
    Image.new("RGB" if len(color) == 3 else "RGBA", size, color).save(memory, kind)
    return memory.getvalue()


def examined(folder: Path, *parts: Part) -> Examination:
    path = folder / "case.zip"
    path.write_bytes(build(*parts))
    return examine(path, folder)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> tuple[Examination, Path]:
    """One zip with something of everything."""
    folder = tmp_path_factory.mktemp("scans")
    points, faces = sphere(60)
    parts = (
        Part(b"top/iTero_Export_#900150_v24.xml", (FIXTURES / "v24.xml").read_bytes()),
        Part(b"top/iTero_Export_#900150_v50.xml", b"<iTeroExport"),
        Part(b"top/1_upper_jaw.ply", ply(colors=RED)),
        Part(b"top/1_lower_jaw.stl", stl(points, faces)),
        Part(b"top/1_pretreatment.stl", stl()[:-9]),
        Part(b"top/1_both_ul.ply", ply(uv=np.full((12, 6), 0.5, np.float32))),
        Part(b"top/skin.jpg", picture()),
        Part(b"top/gallery_#1.jpg", picture()),
        Part(b"top/gallery_#1_bad.jpg", b"<svg onload=alert(1)>"),
        Part(b"top/1_margin_8.pts", b"1 2 3\n"),
        Part(b"__MACOSX/top/._1_upper_jaw.ply", MESH),
        Part(b"top/notes.docx", MESH),
    )
    return examined(folder, *parts), folder


def file(found: tuple[Examination, Path], name: str) -> ExaminedFile:
    return next(each for each in found[0].files if each.display_name == name)


def test_no_file_is_dropped(found: tuple[Examination, Path]) -> None:
    assert [each.member_index for each in found[0].files] == list(range(12))


def test_a_scan_is_measured(found: tuple[Examination, Path]) -> None:
    ball = file(found, "1_lower_jaw.stl")
    assert (ball.role, ball.triangles, ball.coloured) == ("lower", 60 * 120 * 2 - 240, False)
    assert ball.box_mm == pytest.approx((30, 30, 30), abs=0.01)


def test_a_preview_is_named_by_content_and_keeps_shape_and_colour(found: tuple[Examination, Path]) -> None:
    jaw = file(found, "1_upper_jaw.ply")
    assert jaw.preview == f"{jaw.sha256}.ply"
    mesh = read_ply((found[1] / jaw.preview).read_bytes()).mesh
    assert mesh.box_mm == (10.0, 20.0, 30.0)
    assert mesh.colors is not None
    assert np.array_equal(mesh.colors, RED)


def test_a_texture_colours_the_preview(found: tuple[Examination, Path]) -> None:
    preview = file(found, "1_both_ul.ply").preview
    assert preview is not None
    colors = read_ply((found[1] / preview).read_bytes()).mesh.colors
    assert colors is not None
    assert np.abs(colors.astype(int) - (10, 180, 30)).max() <= 4


def test_pictures_are_written_anew_in_two_sizes(found: tuple[Examination, Path]) -> None:
    shot = file(found, "gallery_#1.jpg")
    assert shot.thumbnail is not None
    assert shot.thumbnail_small is not None
    with Image.open(found[1] / shot.thumbnail) as large, Image.open(found[1] / shot.thumbnail_small) as small:
        assert (large.format, large.size, small.format, small.size) == ("JPEG", (640, 480), "JPEG", (112, 84))


def test_what_is_broken_becomes_a_problem_in_words_and_the_rest_goes_on(found: tuple[Examination, Path]) -> None:
    assert {(each.code, each.file_name.rpartition("/")[2]) for each in found[0].problems} == {
        ("metadata_unreadable", "iTero_Export_#900150_v50.xml"),
        ("mesh_truncated", "1_pretreatment.stl"),
        ("image_unreadable", "gallery_#1_bad.jpg"),
    }
    assert all(each.words.endswith(".") for each in found[0].problems)


def test_when_the_highest_metadata_is_broken_the_next_is_used(found: tuple[Examination, Path]) -> None:
    assert found[0].metadata is not None
    assert found[0].metadata.order_id == "900124"


def test_junk_is_marked_and_not_read(found: tuple[Examination, Path]) -> None:
    junk = file(found, "._1_upper_jaw.ply")
    assert (junk.role, junk.junk, junk.preview) == ("other", True, None)


def test_a_file_that_the_metadata_names_and_the_zip_lacks_is_told(tmp_path: Path) -> None:
    result = examined(tmp_path, Part(b"iTero_Export_#1_v50.xml", (FIXTURES / "v50.xml").read_bytes()))
    assert [(each.code, each.file_name) for each in result.problems] == [("file_missing", "900150_SCAN_1.ply")]


@pytest.mark.parametrize("family", ["restorative", "orthodontic"])
def test_an_invented_case_is_read_whole(family: str, tmp_path: Path) -> None:
    spec = invent_case(5, "4242", family=family, triangles=4000)  # type: ignore[arg-type]  # one of the two families
    build_full_zip(spec, tmp_path / "case.zip")
    result = examine(tmp_path / "case.zip", tmp_path)
    assert result.problems == ()
    assert result.metadata is not None
    assert (result.metadata.patient_last, result.metadata.due_date) == (spec.patient_last, spec.due_date)
    assert [each.tooth_ada for each in result.metadata.restorations] == [each.tooth for each in spec.items]
    assert {"metadata", "rx", "thumbnail"} < {each.role for each in result.files}


def test_a_zip_that_the_guard_refuses_is_refused_here_too(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRejected, match="unsafe_name"):
        examined(tmp_path, Part(b"../a.stl"))


def test_too_little_memory_kills_the_child_and_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    path.write_bytes(build(Part(b"a_u.stl", stl())))
    with pytest.raises(ExaminationFailed, match="out_of_memory"):
        examine(path, tmp_path, memory_limit=48 << 20)
    assert examine(path, tmp_path).files[0].triangles == 12


def test_a_scan_too_large_for_the_memory_is_told_and_the_others_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    huge = np.tile(CUBE_FACES, (60_000, 1))
    path.write_bytes(build(Part(b"big_u.stl", stl(faces=huge), method=0), Part(b"small_l.stl", stl())))
    result = examine(path, tmp_path, memory_limit=260 << 20)
    assert [(each.code, each.file_name) for each in result.problems[1:]] == [("mesh_too_large", "big_u.stl")]
    assert [each.triangles for each in result.files] == [None, 12]


def test_a_child_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    path.write_bytes(build(Part(b"a_u.stl", stl())))
    with pytest.raises(ExaminationFailed, match="time"):
        examine(path, tmp_path, time_limit=0)


def test_the_child_inherits_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; print(os.environ, file=open(os.environ['SPY'], 'w'))")
    monkeypatch.setenv("SPY", str(tmp_path / "spied"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    examined(tmp_path, Part(b"a_u.stl", stl()))
    assert not (tmp_path / "spied").exists()
    subprocess.run([sys.executable, "-c", "pass"], check=True)  # with our environment the same interpreter tells
    assert (tmp_path / "spied").exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
def test_the_known_kinds_of_picture_are_read(kind: str) -> None:
    assert read_picture(picture(kind, (50, 40)), 640).size == (50, 40)


def test_a_clear_picture_is_put_on_white() -> None:
    assert read_picture(picture("PNG", (9, 9), (255, 0, 0, 0)), 640).getpixel((4, 4)) == (255, 255, 255)


def test_a_picture_of_a_hundred_million_pixels_is_not_decoded() -> None:
    bomb = bytearray(picture("PNG", (10, 10)))
    bomb[16:24] = (10_000).to_bytes(4, "big") * 2
    with pytest.raises(PictureRejected, match="image_"):
        read_picture(bomb, 640)


@pytest.mark.parametrize("data", [b"", b"GIF89a" + bytes(40), picture()[:300], b"%PDF-1.7", b"%!PS-Adobe"])
def test_other_kinds_and_damaged_pictures_are_unreadable(data: bytes) -> None:
    with pytest.raises(PictureRejected, match="image_unreadable"):
        read_picture(data, 640)


def test_an_examination_survives_json_and_a_bent_one_does_not(found: tuple[Examination, Path]) -> None:
    document = json.loads(json.dumps(write_record(found[0])))
    assert read_record(Examination, document) == found[0]
    bent: object
    for bent in ({**document, "files": None}, {**document, "more": 1}, {**document, "metadata": {}}, [], None):
        with pytest.raises(BadRecord):
            read_record(Examination, bent)


def test_a_number_of_the_wrong_type_is_a_bad_record() -> None:
    record = replace(Examination(None, (), ()), problems=(problem("file_missing", "a"),))
    document = write_record(record)
    document["problems"][0]["code"] = True
    with pytest.raises(BadRecord):
        read_record(Examination, document)
