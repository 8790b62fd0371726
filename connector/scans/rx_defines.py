"""The look-up tables inside a metadata document: codes are resolved from the file itself, never from our memory."""

from xml.etree.ElementTree import Element  # type only

ABSENT = frozenset({"", "-1", "null", "none"})
# Where the table's name is not simply the attribute's name in the plural.
TABLES = {
    "toothmaterial": ("materials", "toothmaterials"),
    "abutmentmaterial": ("abutmentmaterials", "materials"),
    "incisalshade": ("incisalshades", "shades", "toothshades"),
    "middleshade": ("middleshades", "shades", "toothshades"),
    "gingivalshade": ("gingivalshades", "shades", "toothshades"),
    "dieshade": ("dieshades", "shades", "toothshades"),
    "preparationdesignbuccal": ("preparationdesignbuccals", "preparationdesigns", "preparationdesigntypes"),
    "preparationdesignlingual": ("preparationdesignlinguals", "preparationdesigns", "preparationdesigntypes"),
    "implantbasedrestorationtype": ("implantbasedrestorationtypes", "implanttypes"),
    "toothshadesystem": ("toothshadesystems", "shadesystems"),
    "casetypeid": ("casetypes", "casetypeids"),
    "jawid": ("jaws", "jawids"),
}


def local_name(element: Element) -> str:
    """An element's name without namespace, in one case."""
    return element.tag.rpartition("}")[2].casefold() if isinstance(element.tag, str) else ""


def text_of(raw: str | None) -> str:
    """A text with `Null`, `-1` and emptiness all read as absent ('')."""
    text = (raw or "").strip()
    return "" if text.casefold() in ABSENT else text


class RxDefines:
    """The tables of one document; resolves a code of an attribute into the name that the document gives it."""

    def __init__(self, element: Element | None) -> None:
        self._tables: dict[str, dict[str, str]] = {}
        for table in element if element is not None else ():
            rows = self._tables.setdefault(local_name(table), {})
            for row in table.iter():
                attributes = {key.casefold(): value for key, value in row.attrib.items()}
                if "id" in attributes and "name" in attributes:
                    rows.setdefault(attributes["id"].strip(), attributes["name"])

    def resolve(self, attribute: str, code: str) -> str:
        """The name for a code, the code itself when the document has no name for it, '' when absent."""
        key = attribute.casefold()
        for table in TABLES.get(key, (f"{key}s",)):
            name = self._tables.get(table, {}).get(code)
            if name is not None:
                return text_of(name)[:500]
        return code
