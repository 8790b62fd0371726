"""The zips of both families: their layout, and the readers that the other tests of the case builder share."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from PIL import Image
from pypdf import PdfReader

from connector.simulator.cases import CaseSpec, build_full_zip, build_thumbnail_zip, invent_case

TRIANGLES = 20_000


def restorative(seed: int) -> CaseSpec:
    return invent_case(seed, f"10000{seed}", family="restorative", triangles=TRIANGLES)


def orthodontic(seed: int) -> CaseSpec:
    return invent_case(seed, f"10000{seed}", family="orthodontic", triangles=TRIANGLES)


@cache
def full_zip(spec: CaseSpec) -> bytes:
    with TemporaryDirectory() as folder:
        build_full_zip(spec, Path(folder) / "case.zip")
        return (Path(folder) / "case.zip").read_bytes()


@cache
def thumbnail_zip(spec: CaseSpec) -> bytes:
    with TemporaryDirectory() as folder:
        build_thumbnail_zip(spec, Path(folder) / "thumbs.zip")
        return (Path(folder) / "thumbs.zip").read_bytes()


def names_in(whole: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        return archive.namelist()


@cache
def files_in(whole: bytes) -> dict[str, bytes]:
    """The files by their name without folders; Finder's junk is left out."""
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        kept = [name for name in archive.namelist() if not name.startswith("__MACOSX")]
        return {name.rsplit("/", 1)[-1]: archive.read(name) for name in kept}


def only(files: dict[str, bytes], ending: str) -> bytes:
    (found,) = [content for name, content in files.items() if name.endswith(ending)]
    return found


@pytest.mark.parametrize("spec", [restorative(3), restorative(4), orthodontic(0), orthodontic(2)])
def test_every_member_of_a_full_export_passes_the_zip_test(spec: CaseSpec) -> None:
    with zipfile.ZipFile(io.BytesIO(full_zip(spec))) as archive:
        assert archive.testzip() is None


def test_an_orthodontic_export_holds_shells_prescription_metadata_and_gallery() -> None:
    names = set(names_in(full_zip(orthodontic(0))))
    assert {
        "100000_shell_occlusion_u.stl",
        "100000_shell_occlusion_l.stl",
        "iTero_Rx_100000.pdf",
        "itero_export_#100000_v30.xml",
        "gallery_#100000.jpg",
        "gallery_#100000_penta_upper_m.jpg",
    } <= names


def test_an_orthodontic_case_may_have_both_jaws_in_one_file() -> None:
    meshes = [name for name in names_in(full_zip(orthodontic(2))) if name.endswith(".stl")]
    assert meshes == ["100002_shell_lockedocclusion_ul.stl"]


def test_a_crown_case_holds_jaws_die_margin_and_two_metadata_versions() -> None:
    assert {
        "100003_upper_jaw.ply",
        "100003_lower_jaw.ply",
        "100003_lower_tooth_20_with_ditch.ply",
        "100003_margin_20.pts",
        "iTero_Export_#100003_v24.xml",
        "iTero_Export_#100003_v50.xml",
    } <= set(files_in(full_zip(restorative(3))))


def test_some_restorative_exports_lie_under_one_top_folder() -> None:
    names = names_in(full_zip(restorative(4)))
    assert {name.split("/")[0] for name in names} == {"iTero_Export_100004"}


def test_some_restorative_exports_carry_finder_junk() -> None:
    assert any(name.startswith("__MACOSX/") for name in names_in(full_zip(restorative(7))))


def test_some_restorative_exports_hold_the_jaw_before_treatment() -> None:
    assert "1000012_upper_jaw_pretreatment.ply" in files_in(full_zip(restorative(12)))


def test_a_textured_export_has_a_picture_that_its_mesh_names() -> None:
    files = files_in(full_zip(restorative(8)))
    header = files["100008_upper_jaw.ply"].split(b"end_header")[0]
    assert b"comment TextureFile 100008_upper_jaw_texture.jpg" in header
    assert b"property list uchar float texcoord" in header
    assert Image.open(io.BytesIO(files["100008_upper_jaw_texture.jpg"])).size == (2048, 1024)


@pytest.mark.parametrize("spec", [restorative(3), orthodontic(0)])
def test_the_thumbnail_zip_holds_the_six_gallery_pictures_alone(spec: CaseSpec) -> None:
    views = ("", *(f"_penta_{view}_m" for view in ("front", "left", "right", "upper", "lower")))
    assert names_in(thumbnail_zip(spec)) == [f"gallery_#{spec.order_id}{view}.jpg" for view in views]


def test_thumbnails_are_jpegs_of_800_by_600_that_show_something() -> None:
    for content in files_in(thumbnail_zip(restorative(3))).values():
        picture = Image.open(io.BytesIO(content))
        assert (picture.format, picture.size) == ("JPEG", (800, 600))
        assert np.asarray(picture).max() > 200, "no tooth is bright"


def test_the_full_export_and_the_thumbnails_show_the_same_pictures() -> None:
    spec = restorative(3)
    full = files_in(full_zip(spec))
    assert all(full[name] == content for name, content in files_in(thumbnail_zip(spec)).items())


def test_no_half_written_file_stays_beside_the_zip(tmp_path: Path) -> None:
    build_thumbnail_zip(restorative(3), tmp_path / "new" / "thumbs.zip")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["thumbs.zip"]


def test_the_prescription_names_the_practice_in_a_whole_pdf() -> None:
    spec = restorative(3)
    pdf = only(files_in(full_zip(spec)), ".pdf")
    table = int(pdf.split(b"startxref\n")[1].split(b"\n")[0])
    assert pdf.startswith(b"%PDF-1.4")
    assert pdf.endswith(b"%%EOF\n")
    assert pdf[table : table + 4] == b"xref"
    assert spec.practice_name.encode("cp1252", "replace") in pdf


def test_an_independent_reader_finds_the_treatment_in_the_prescription() -> None:
    reader = PdfReader(io.BytesIO(only(files_in(full_zip(restorative(3))), ".pdf")), strict=True)
    assert len(reader.pages) == 1
    assert "Tooth 20" in reader.pages[0].extract_text()
