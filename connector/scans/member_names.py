"""Names of zip members are labels, never paths; here is what even a label may not be."""

import re
import unicodedata

from connector.scans.rejection import ArchiveRejected, label

LONGEST_NAME = 1024
LONGEST_PART = 255
DIRECTION_MARKS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\..*)?", re.IGNORECASE)


def decode_name(raw: bytes, *, utf8_flag: bool) -> str:
    """The name as text: UTF-8 where it is that (macOS sets no flag for it), else the format's code page 437."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        if utf8_flag:
            raise ArchiveRejected("unsafe_name", label(raw.decode("cp437"))) from None
        return raw.decode("cp437")


def refuse_unsafe(name: str) -> None:
    """Raise ArchiveRejected('unsafe_name') for a name that could leave its folder, hide, or deceive."""
    # Some file systems fold full-width dots and slashes into plain ones, so both spellings must be harmless.
    if any(_is_unsafe(spelling) for spelling in {name, unicodedata.normalize("NFKC", name)}):
        raise ArchiveRejected("unsafe_name", label(name))


def _is_unsafe(name: str) -> bool:
    if not name or len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME or name.startswith("/"):
        return True
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in DIRECTION_MARKS for c in name):
        return True
    # A colon is a drive (C:) or a hidden stream (a.stl:b) on Windows.
    if "\\" in name or ":" in name:
        return True
    parts = name.removesuffix("/").split("/")
    return any(_is_unsafe_part(part) for part in parts)


def _is_unsafe_part(part: str) -> bool:
    # Windows drops dots and spaces at the end, so ". ." is a folder upwards there.
    return (
        not part.rstrip(". ")
        or len(part.encode("utf-8", "surrogatepass")) > LONGEST_PART
        or WINDOWS_DEVICE.fullmatch(part.rstrip(". ")) is not None
    )


def fold(name: str) -> str:
    """The name as the most forgetful file system would see it: composed, caseless, parts without dots at the end."""
    caseless = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    return "/".join(part.rstrip(". ") for part in caseless.removesuffix("/").split("/"))


def refuse_twins(names: list[str]) -> None:
    """Raise ArchiveRejected('duplicate_name') when two names, or a file and a folder, fold to the same path."""
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        folded = fold(name)
        if folded in seen:
            raise ArchiveRejected("duplicate_name", label(name))
        seen.add(folded)
        parts = folded.split("/")
        depth = len(parts) if name.endswith("/") else len(parts) - 1
        folders.update("/".join(parts[: n + 1]) for n in range(depth))
    for name in names:
        if not name.endswith("/") and fold(name) in folders:
            raise ArchiveRejected("duplicate_name", label(name))
