"""The export's metadata XML in the versions that were observed: 1.0, 2.4, 3.0 and 5.0."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from xml.etree import ElementTree

from connector.simulator.cases import lookups
from connector.simulator.cases.spec import CaseItem, CaseSpec

NULL = "Null"
ABSENT = "-1"


@dataclass(frozen=True, slots=True)
class ExportedObject:
    """One line of `ExportedObjects`; `jaw` is Upper, Lower or empty, `tooth` an ADA number or None."""

    kind: str
    subtype: str
    file_name: str
    jaw: str = ""
    tooth: int | None = None


def metadata_xml(spec: CaseSpec, version: str, exported: list[ExportedObject]) -> bytes:
    """The metadata file of this version ("1.0", "2.4", "3.0" or "5.0") as UTF-8 XML."""
    root = ElementTree.Element("iTeroExport", Version=version)
    info = ElementTree.SubElement(root, "RxInfo")
    for name, value in _rx_fields(spec, version):
        ElementTree.SubElement(info, name).text = value
    _scan_range(info)
    teeth = ElementTree.SubElement(info, "Teeth")
    for item in spec.items:
        ElementTree.SubElement(teeth, "Tooth", _tooth(item, version))
    _bridges(info, spec)
    _defines(root)
    objects = ElementTree.SubElement(root, "ExportedObjects")
    for thing in exported:
        ElementTree.SubElement(objects, "Object", _exported(thing, version))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _rx_fields(spec: CaseSpec, version: str) -> list[tuple[str, str]]:
    first, _, last = spec.doctor_name.removeprefix("Dr. ").partition(" ")
    offset = spec.dice("clock").choice((0, 1, 2, -5, -8))
    exported = spec.scan_date + timedelta(hours=offset, minutes=12, days=spec.revision - 1)
    system = spec.items[0].shade_system if spec.items else NULL
    return [
        ("CaseId" if version in ("1.0", "2.4") else "OrderID", spec.order_id),
        ("OrderCode", spec.order_code),
        ("CaseTypeID", lookups.code(lookups.CASE_TYPES, spec.case_type)),
        ("CaseTypeName", spec.case_type),
        ("Patient", f"{spec.patient_last}, {spec.patient_first}"),
        ("ChartNumber", spec.chart_number or NULL),
        ("Doctor", f"Dr. {last}, {first}"),
        ("DoctorID", spec.doctor_id),
        ("DoctorLicense", spec.doctor_license),
        ("DoctorCompanyID", spec.practice_id),
        ("LabID", ABSENT),
        ("LabName", NULL),
        ("PracticeShipToAddress", spec.practice_address),
        ("DueDate", f"{spec.due_date:%m/%d/%Y}"),
        ("ExportTime", f"{exported:%m/%d/%Y %H:%M:%S}"),
        ("UtcOffset", f"{'-' if offset < 0 else '+'}{abs(offset):02d}:00"),
        ("Notes", spec.notes),
        ("ToothShadeSystem", system),
    ]


def _scan_range(info: ElementTree.Element) -> None:
    scanned = ElementTree.SubElement(info, "ScanRange")
    ElementTree.SubElement(scanned, "UpperRange", FromAdaId="2", ToAdaId="15")
    ElementTree.SubElement(scanned, "LowerRange", FromAdaId="18", ToAdaId="31")


def _tooth(item: CaseItem, version: str) -> dict[str, str]:
    implant = item.treatment.startswith("Implant")
    attributes = {
        "AdaId": str(item.tooth),
        "RestorationType": lookups.code(lookups.RESTORATIONS, item.treatment),
        "ToothMaterial": lookups.code(lookups.MATERIALS, item.material),
        "IncisalShade": item.incisal or NULL,
        "MiddleShade": item.body or NULL,
        "GingivalShade": item.gingival or NULL,
        "DieShade": NULL,
        "PreparationDesignBuccal": ABSENT if implant else lookups.code(lookups.PREPARATIONS, "Chamfer"),
        "PreparationDesignLingual": ABSENT if implant else lookups.code(lookups.PREPARATIONS, "Chamfer"),
    }
    if version == "5.0":
        attributes |= {
            "Specification": lookups.code(lookups.SPECIFICATIONS, "Full contour"),
            "ImplantBasedRestorationType": lookups.code(lookups.IMPLANTS, item.treatment) if implant else ABSENT,
            "AbutmentType": lookups.code(lookups.ABUTMENTS, "Custom") if implant else ABSENT,
            "PonticDesign": lookups.code(lookups.PONTICS, "Ovate") if "Pontic" in item.treatment else ABSENT,
            "AbutmentMaterial": lookups.code(lookups.ABUTMENT_MATERIALS, "Titanium") if implant else NULL,
        }
    return attributes


def _bridges(info: ElementTree.Element, spec: CaseSpec) -> None:
    bridges = ElementTree.SubElement(info, "Bridges")
    spanned = [item.tooth for item in spec.items if item.treatment.startswith("Bridge")]
    if spanned:
        attributes = {"Id": "1", "Type": lookups.code(lookups.BRIDGES, "Conventional")}
        attributes |= {"FromAdaId": str(min(spanned)), "ToAdaId": str(max(spanned))}
        ElementTree.SubElement(bridges, "Bridge", attributes)


def _defines(root: ElementTree.Element) -> None:
    defines = ElementTree.SubElement(root, "RxDefines")
    for table in lookups.TABLES:
        element = ElementTree.SubElement(defines, table.name)
        for name, number in table.codes:
            ElementTree.SubElement(element, table.entry, Id=number, Name=name)


def _exported(thing: ExportedObject, version: str) -> dict[str, str]:
    absent = "" if version == "5.0" else ABSENT
    return {
        "ObjectType": thing.kind,
        "SubType": thing.subtype,
        "JawId": thing.jaw or absent,
        "AdaId": str(thing.tooth) if thing.tooth else absent,
        "FileName": thing.file_name,
    }
