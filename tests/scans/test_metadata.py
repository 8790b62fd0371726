"""Metadata of the three versions that were seen, and documents that are broken or hostile."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connector.scans.metadata import CaseMetadata, Restoration, find_metadata
from connector.scans.metadata_reader import MetadataRejected, read_metadata
from connector.scans.roles import assign_roles
from connector.scans.teeth import ada_to_fdi, fdi_to_ada

FIXTURES = Path(__file__).parent / "fixtures"


def case(name: str) -> CaseMetadata:
    return read_metadata((FIXTURES / name).read_bytes())


def small(body: str) -> CaseMetadata:
    return read_metadata(f"<iTeroExport Version='3.0'><RxInfo>{body}</RxInfo></iTeroExport>".encode())


def test_version_2_calls_the_order_a_case() -> None:
    found = case("v24.xml")
    assert (found.version, found.order_id) == ("2.4", "900124")


def test_version_3_gives_people_dates_and_time_in_utc() -> None:
    found = case("v30.xml")
    assert (found.patient_last, found.patient_first) == ("Ångström", "Zoë Anna")
    assert found.doctor == "Dr. Okafor, Ngozi M"
    assert found.due_date == date(2026, 12, 1)
    assert found.export_time == datetime(2026, 11, 20, 14, 3, 11, tzinfo=UTC)
    assert found.case_type == "Invisalign + iRecord"
    assert found.upper_range == (2, 15)


def test_version_5_resolves_codes_from_the_file_itself() -> None:
    found = case("v50.xml")
    assert found.restorations[0] == Restoration(
        tooth_ada=19,
        treatment="Crown",
        material="Ceramic: Zirconia",
        incisal="A1",
        middle="A2",
        gingival="A2",
        preparation_buccal="Chamfer",
        preparation_lingual="Shoulder",
        specification="Full contour",
    )
    assert found.bridges[0].kind == "Conventional"


def test_a_code_that_the_file_does_not_explain_is_kept() -> None:
    assert case("v50.xml").restorations[1].material == "4711"


def test_the_same_code_means_what_another_file_says() -> None:
    swapped = (FIXTURES / "v50.xml").read_bytes().replace(b'Name="Crown"', b'Name="Veneer"')
    assert read_metadata(swapped).restorations[0].treatment == "Veneer"


def test_teeth_with_nothing_ordered_are_no_restorations() -> None:
    assert [each.tooth_ada for each in case("v50.xml").restorations] == [19, 20]


@pytest.mark.parametrize("written", ["", "Null", "null", "-1", "  "])
def test_null_minus_one_and_empty_are_absent(written: str) -> None:
    assert small(f"<ChartNumber>{written}</ChartNumber>").chart_number == ""


def test_unknown_fields_are_ignored_and_missing_ones_absent() -> None:
    found = small("<Colour>blue</Colour>")
    assert (found.order_id, found.due_date, found.restorations) == ("", None, ())


@pytest.mark.parametrize(
    ("offset", "hour"),
    [("-05:00", 19), ("-5", 19), ("+0530", 8), ("-3.5", 17), ("-300", 19), ("+02:00:00", 12), ("0", 14)],
)
def test_the_offset_is_read_in_its_spellings(offset: str, hour: int) -> None:
    found = small(f"<ExportTime>11/20/2026 14:03:11</ExportTime><UtcOffset>{offset}</UtcOffset>")
    assert found.export_time is not None
    assert found.export_time.hour == hour


def test_without_an_offset_no_time_is_guessed() -> None:
    assert small("<ExportTime>11/20/2026 14:03:11</ExportTime>").export_time is None


@pytest.mark.parametrize("written", ["13/45/2026", "01/01/0001", "12/31/9999"])
def test_impossible_dates_are_absent(written: str) -> None:
    """The first and the last day there is are what some programs write where nobody entered one."""
    assert small(f"<DueDate>{written}</DueDate>").due_date is None


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (b"", "metadata_unreadable"),
        (b"<iTeroExport", "metadata_unreadable"),
        (b"<html/>", "metadata_foreign"),
        (b"<?xml version='1.0' encoding='klingon'?><iTeroExport/>", "metadata_unreadable"),
        (
            b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><iTeroExport>&b;</iTeroExport>",
            "metadata_unreadable",
        ),
        (b"<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;'>]><iTeroExport>&c;</iTeroExport>", "metadata_unreadable"),
        (b"<iTeroExport>" + b" " * (5 << 20), "metadata_too_large"),
        (b"\xff\xfe\x00", "metadata_unreadable"),
    ],
)
def test_a_broken_or_hostile_document_is_refused(document: bytes, code: str) -> None:
    with pytest.raises(MetadataRejected, match=code):
        read_metadata(document)


def test_a_document_of_200_000_nested_elements_harms_nobody() -> None:
    depth = 200_000
    with pytest.raises(MetadataRejected, match="metadata_foreign"):
        read_metadata(b"<a>" * depth + b"</a>" * depth)


def test_the_highest_version_is_found_whatever_its_case_and_folder() -> None:
    names = ["x/iTero_Export_#9_v24.xml", "x/ITERO_EXPORT_#9_V50.XML", "__MACOSX/x/._iTero_Export_#9_v99.xml", "a.xml"]
    assert find_metadata(names) == "x/ITERO_EXPORT_#9_V50.XML"
    assert find_metadata(["a.stl", "notes.xml"]) is None


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("12_shell_occlusion_u.stl", "upper"),
        ("12_shell_occlusion_l.stl", "lower"),
        ("12_SHELL_LOCKEDOCCLUSION_UL.STL", "both"),
        ("top/12_upper_jaw.ply", "upper"),
        ("12_lower_jaw.PLY", "lower"),
        ("12_upper_jaw_pretreatment.ply", "pre_treatment"),
        ("12_upper_tooth_8_with_ditch.ply", "other"),
        ("12_margin_8.pts", "margin"),
        ("gallery_#12_penta_upper_m.jpg", "thumbnail"),
        ("12_upper_jaw_texture.jpg", "texture"),
        ("12_upper_jaw.jpg", "texture"),
        ("Rx_12.html", "rx"),
        ("iTero_Rx_12.pdf", "rx"),
        ("itero_export_#12_v30.xml", "metadata"),
        ("something.bin", "other"),
        ("__MACOSX/12_upper_jaw.ply", "other"),
        (".DS_Store", "other"),
    ],
)
def test_without_metadata_the_file_name_tells_the_role(name: str, role: str) -> None:
    assert assign_roles([name])[name] == role


def test_metadata_overrules_the_file_name() -> None:
    roles = assign_roles(["top/900150_scan_1.ply", "900150_upper.ply"], case("v50.xml").objects)
    assert roles == {"top/900150_scan_1.ply": "lower", "900150_upper.ply": "upper"}


def test_teeth_are_numbered_both_ways() -> None:
    assert [ada_to_fdi(tooth) for tooth in (1, 8, 9, 16, 17, 24, 25, 32)] == [18, 11, 21, 28, 38, 31, 41, 48]
    assert [fdi_to_ada(ada_to_fdi(tooth)) for tooth in range(1, 33)] == list(range(1, 33))


@pytest.mark.parametrize("tooth", [0, 33, -1])
def test_a_tooth_that_is_none_has_no_number(tooth: int) -> None:
    with pytest.raises(ValueError, match="no ADA tooth"):
        ada_to_fdi(tooth)
