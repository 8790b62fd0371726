"""The metadata files parse in every version and hold the case in Align's fields and codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from xml.etree import ElementTree

import pytest

from connector.simulator.cases import CaseSpec
from connector.simulator.cases.metadata import metadata_xml
from tests.simulator.test_cases_exports import files_in, full_zip, only, orthodontic, restorative

FIELDS = {
    "OrderCode", "CaseTypeID", "CaseTypeName", "Patient", "ChartNumber", "Doctor", "DoctorID", "DoctorLicense",
    "DoctorCompanyID", "LabID", "LabName", "PracticeShipToAddress", "DueDate", "ExportTime", "UtcOffset", "Notes",
    "ToothShadeSystem", "ScanRange", "Teeth", "Bridges",
}  # fmt: skip


def metadata(spec: CaseSpec, version: str) -> ElementTree.Element:
    return ElementTree.fromstring(only(files_in(full_zip(spec)), f"_v{version}.xml"))


@pytest.mark.parametrize(
    ("spec", "ending", "version", "id_field"),
    [
        (restorative(4), "10", "1.0", "CaseId"),
        (restorative(4), "24", "2.4", "CaseId"),
        (orthodontic(0), "30", "3.0", "OrderID"),
        (restorative(4), "50", "5.0", "OrderID"),
    ],
)
def test_each_version_holds_every_field_under_its_own_id(
    spec: CaseSpec, ending: str, version: str, id_field: str
) -> None:
    root = metadata(spec, ending)
    info = root.find("RxInfo")
    assert info is not None
    assert (root.tag, root.get("Version")) == ("iTeroExport", version)
    assert [child.tag for child in info if child.tag in ("CaseId", "OrderID")] == [id_field]
    assert info.findtext(id_field) == spec.order_id
    assert {child.tag for child in info} >= FIELDS


def test_names_come_last_name_first() -> None:
    spec = restorative(3)
    root = metadata(spec, "50")
    assert root.findtext("RxInfo/Patient") == f"{spec.patient_last}, {spec.patient_first}"
    assert root.findtext("RxInfo/Doctor", "").startswith("Dr. ")
    assert ", " in root.findtext("RxInfo/Doctor", "")


def test_times_have_the_american_form() -> None:
    root = metadata(restorative(3), "50")
    assert datetime.strptime(root.findtext("RxInfo/ExportTime", ""), "%m/%d/%Y %H:%M:%S")
    assert datetime.strptime(root.findtext("RxInfo/DueDate", ""), "%m/%d/%Y").date() == restorative(3).due_date


@pytest.mark.parametrize("version", ["24", "50"])
def test_the_codes_of_a_tooth_resolve_in_the_file_itself(version: str) -> None:
    spec, root = restorative(3), metadata(restorative(3), version)
    tooth = root.find("RxInfo/Teeth/Tooth")
    assert tooth is not None
    treatments = {row.get("Id"): row.get("Name") for row in root.iterfind("RxDefines/RestorationTypes/Type")}
    materials = {row.get("Id"): row.get("Name") for row in root.iterfind("RxDefines/Materials/Material")}
    assert treatments[tooth.get("RestorationType")] == spec.items[0].treatment
    assert materials[tooth.get("ToothMaterial")] == spec.items[0].material
    assert tooth.get("MiddleShade") == spec.items[0].body


def test_only_version_5_tells_the_pontic_design() -> None:
    old, new = (metadata(restorative(4), version).find("RxInfo/Teeth/Tooth[2]") for version in ("24", "50"))
    assert old is not None
    assert new is not None
    assert "PonticDesign" not in old.attrib
    assert new.attrib["PonticDesign"] != "-1"


def test_a_bridge_spans_its_teeth() -> None:
    bridge = metadata(restorative(4), "50").find("RxInfo/Bridges/Bridge")
    assert bridge is not None
    assert (bridge.get("FromAdaId"), bridge.get("ToAdaId")) == ("2", "4")


def test_absent_values_are_the_literal_null_and_minus_one() -> None:
    root = metadata(restorative(3), "24")
    assert root.findtext("RxInfo/LabName") == "Null"
    assert root.findtext("RxInfo/LabID") == "-1"


@pytest.mark.parametrize("spec", [restorative(3), restorative(8), orthodontic(0)])
def test_every_exported_object_is_a_file_of_the_zip(spec: CaseSpec) -> None:
    version = "30" if spec.family == "orthodontic" else "50"
    objects = metadata(spec, version).findall("ExportedObjects/Object")
    assert {thing.get("FileName") for thing in objects} <= set(files_in(full_zip(spec)))
    kinds = {(thing.get("ObjectType"), thing.get("SubType"), thing.get("JawId")) for thing in objects}
    assert {("Surface", "Jaw", "Upper"), ("Surface", "Jaw", "Lower")} <= kinds
    assert any(thing.get("SubType") == "Gallery" for thing in objects)


def test_notes_with_markup_come_through_unharmed() -> None:
    spec = replace(restorative(3), notes="<b>A1 & A2</b>\nsecond line")
    assert ElementTree.fromstring(metadata_xml(spec, "5.0", [])).findtext("RxInfo/Notes") == spec.notes
