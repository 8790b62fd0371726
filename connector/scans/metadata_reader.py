"""Reads `<iTeroExport>` documents (2.4, 3.0 and 5.0 were seen): tolerant of the unknown, strict with the hostile."""

import re
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, timedelta
from xml.etree.ElementTree import Element, ParseError  # types only: parsing goes through defusedxml

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connector.scans.metadata import Bridge, CaseMetadata, ExportedObject, Restoration
from connector.scans.rx_defines import RxDefines, local_name, text_of

LARGEST_DOCUMENT = 5 * 1024 * 1024
LONGEST_TEXT, LONGEST_NOTES = 500, 10_000
MOST_TEETH, MOST_OBJECTS = 64, 1000
DATE_FORMATS = ("%m/%d/%Y", "%Y-%m-%d")
TIME_FORMATS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M", "%Y-%m-%dT%H:%M:%S")


class MetadataRejected(Exception):  # says what happened, as the caller reads it
    """The document can't be read; `code` is `metadata_too_large`, `metadata_unreadable` or `metadata_foreign`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_metadata(data: bytes) -> CaseMetadata:
    """Read one document; raises MetadataRejected when it is too large, not XML, hostile XML, or of another kind."""
    if len(data) > LARGEST_DOCUMENT:
        raise MetadataRejected("metadata_too_large")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, LookupError, ValueError, RecursionError):
        raise MetadataRejected("metadata_unreadable") from None
    if local_name(root) != "iteroexport":
        raise MetadataRejected("metadata_foreign")
    return _case(root)


def _case(root: Element) -> CaseMetadata:
    info = _child(root, "rxinfo")
    names = RxDefines(_child(root, "rxdefines"))
    first, last = _person(_field(info, "Patient"))
    return CaseMetadata(
        version=_attribute(root, "Version"),
        order_id=_field(info, "OrderID") or _field(info, "CaseId"),
        order_code=_field(info, "OrderCode"),
        case_type=_field(info, "CaseTypeName") or names.resolve("CaseTypeID", _field(info, "CaseTypeID")),
        patient_first=first,
        patient_last=last,
        chart_number=_field(info, "ChartNumber"),
        doctor=_field(info, "Doctor"),
        doctor_id=_field(info, "DoctorID"),
        doctor_license=_field(info, "DoctorLicense"),
        practice_id=_field(info, "DoctorCompanyID"),
        practice_address=_field(info, "PracticeShipToAddress"),
        lab_id=_field(info, "LabID"),
        lab_name=_field(info, "LabName"),
        due_date=_date(_field(info, "DueDate")),
        export_time=_moment(_field(info, "ExportTime"), _field(info, "UtcOffset")),
        notes=_field(info, "Notes", LONGEST_NOTES),
        shade_system=names.resolve("ToothShadeSystem", _field(info, "ToothShadeSystem")),
        upper_range=_range(root, "upperrange"),
        lower_range=_range(root, "lowerrange"),
        restorations=_restorations(root, names),
        bridges=_bridges(root, names),
        objects=_objects(root, names),
    )


def _restorations(root: Element, names: RxDefines) -> tuple[Restoration, ...]:
    found = []
    for tooth in _all(root, "teeth", "tooth")[:MOST_TEETH]:
        number = _number(_attribute(tooth, "AdaId"))
        texts = [names.resolve(key, _attribute(tooth, key)) for key in TOOTH_ATTRIBUTES]
        # The list names every tooth of the mouth; those with nothing ordered are no restorations.
        if number is not None and any(texts):
            found.append(Restoration(number, *texts))
    return tuple(found)


# In the order of Restoration's fields.
TOOTH_ATTRIBUTES = (
    "RestorationType",
    "ToothMaterial",
    "IncisalShade",
    "MiddleShade",
    "GingivalShade",
    "DieShade",
    "PreparationDesignBuccal",
    "PreparationDesignLingual",
    "Specification",
    "ImplantBasedRestorationType",
    "AbutmentType",
    "AbutmentMaterial",
    "PonticDesign",
)


def _bridges(root: Element, names: RxDefines) -> tuple[Bridge, ...]:
    found = []
    for bridge in _all(root, "bridges", "bridge")[:MOST_TEETH]:
        start, end = _number(_attribute(bridge, "FromAdaId")), _number(_attribute(bridge, "ToAdaId"))
        if start is not None and end is not None:
            kind = names.resolve("BridgeType", _attribute(bridge, "Type"))
            found.append(Bridge(_attribute(bridge, "Id"), kind, start, end))
    return tuple(found)


def _objects(root: Element, names: RxDefines) -> tuple[ExportedObject, ...]:
    return tuple(
        ExportedObject(
            _attribute(each, "ObjectType"),
            _attribute(each, "SubType"),
            names.resolve("JawId", _attribute(each, "JawId")),
            _number(_attribute(each, "AdaId")),
            _attribute(each, "FileName"),
        )
        for each in _all(root, "exportedobjects", "object")[:MOST_OBJECTS]
        if _attribute(each, "FileName")
    )


def _all(root: Element, group: str, name: str) -> list[Element]:
    groups = [each for each in root.iter() if local_name(each) == group]
    return [each for each in groups[0] if local_name(each) == name] if groups else []


def _child(parent: Element, name: str) -> Element | None:
    return next((each for each in parent if local_name(each) == name), None)


def _field(parent: Element | None, name: str, longest: int = LONGEST_TEXT) -> str:
    found = _child(parent, name.casefold()) if parent is not None else None
    return text_of(found.text)[:longest] if found is not None else ""


def _attribute(element: Element, name: str) -> str:
    found = next((value for key, value in element.attrib.items() if key.casefold() == name.casefold()), "")
    return text_of(found)[:LONGEST_TEXT]


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:9]) < 1000 and len(text) < 4 else None


def _range(root: Element, name: str) -> tuple[int, int] | None:
    found = _all(root, "scanrange", name)
    ends = [_number(_attribute(found[0], key)) for key in ("FromAdaId", "ToAdaId")] if found else []
    return (ends[0], ends[1]) if len(ends) == 2 and ends[0] is not None and ends[1] is not None else None


def _person(text: str) -> tuple[str, str]:
    """(first, last) of "Last, First"; a name without a comma is a last name."""
    last, _, first = text.partition(",")
    return first.strip(), last.strip()


def _parsed(text: str, formats: tuple[str, ...]) -> datetime | None:
    """None also for the first and the last date there is, which some programs write where nobody entered one."""
    for each in formats:
        try:
            read = datetime.strptime(text, each)  # the zone stands in a field of its own
        except ValueError:
            continue
        return read if MINYEAR < read.year < MAXYEAR else None
    return None


def _date(text: str) -> date | None:
    moment = _parsed(text[:10].strip(), DATE_FORMATS) or _parsed(text.split(" ")[0], DATE_FORMATS)
    return moment.date() if moment else None


def _moment(text: str, offset: str) -> datetime | None:
    """The time in UTC; None without a readable offset, since a guess would be hours wrong."""
    local, ahead = _parsed(text, TIME_FORMATS), _offset(offset)
    if local is None or ahead is None:
        return None
    try:
        return (local - ahead).replace(tzinfo=UTC)
    except OverflowError:
        return None


OFFSET = re.compile(
    r"(?:UTC|GMT)?\s*(?P<sign>[+-]?)(?:"
    r"(?P<hours>\d{1,2})(?::(?P<past>\d{2})(?::\d{2})?)?|(?P<decimal>\d{1,2}\.\d{1,2})"
    r"|(?P<hh>\d{2})(?P<mm>\d{2})|(?P<minutes>\d{3}))",
    re.ASCII,
)


def _offset(text: str) -> timedelta | None:
    """An offset written as `-05:00`, `-5`, `+0530`, `-3.5` (hours) or `-300` (minutes)."""
    match = OFFSET.fullmatch(text)
    if match is None:
        return None
    part = {key: float(value or 0) for key, value in match.groupdict().items() if key != "sign"}
    minutes = 60 * (part["hours"] + part["decimal"] + part["hh"]) + part["past"] + part["mm"] + part["minutes"]
    return timedelta(minutes=-minutes if match["sign"] == "-" else minutes) if minutes <= 14 * 60 else None
