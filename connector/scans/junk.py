"""Files that a computer leaves in a zip without anybody asking for them."""

JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx"})


def is_junk(name: str) -> bool:
    """Whether any part of a member's name marks it as left behind by macOS or Windows, or hidden."""
    return any(part.startswith(".") or part.casefold() in JUNK_NAMES for part in name.split("/"))
