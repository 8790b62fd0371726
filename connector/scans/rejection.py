"""Why a zip is refused: stable codes, and the sentence for each that a lab technician reads."""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "truncated": "The zip ends too early: the download was cut off. Fetch the case again.",
        "not_a_zip": "What arrived is not a zip file.",
        "ambiguous_end": "The zip has two endings, so programs would not agree on what is in it.",
        "trailing_data": "There is something behind the end of the zip that does not belong to it.",
        "multi_disk": "The zip is one part of a zip that was split over several files.",
        "zip64_mismatch": "The zip states its sizes twice, and the two statements differ.",
        "bad_directory": "The zip's table of contents is damaged.",
        "bad_header": "A file's entry in the zip is damaged.",
        "header_mismatch": "A file is described in two places of the zip, and the descriptions differ.",
        "overlap": "Two files in the zip claim the same bytes, as in a harmful zip. Nothing of it was opened.",
        "outside": "A file claims bytes that lie outside the zip.",
        "encrypted": "A file in the zip is locked with a password.",
        "unsupported_method": "A file in the zip is packed in a way that we do not open.",
        "unsafe_name": "A file's name in the zip could put the file where it does not belong, or hide what it is.",
        "link": "The zip holds a link or a device in place of a file.",
        "duplicate_name": "Two files in the zip have the same name, or names that a computer may take for the same.",
        "too_many_members": "There are more files in the zip than a scan can have.",
        "too_large": "The zip, or what it would unpack to, is larger than a scan can be.",
        "ratio": "A file in the zip would grow far beyond any scan, as in a harmful zip. Nothing of it was opened.",
        "bad_data": "A file in the zip is damaged and can't be unpacked.",
        "bad_crc": "A file in the zip does not match its checksum: it was damaged on the way.",
        "size_mismatch": "A file in the zip unpacks to a size other than stated.",
        "no_such_member": "There is no such file in the zip.",
    }
)


class ArchiveRejected(Exception):  # says what happened, as the caller reads it
    """The zip is refused; `code` is a key of WORDS, `member_label` the member for display ('' for the whole zip)."""

    def __init__(self, code: str, member_label: str = "") -> None:
        # The text carries the code alone: member names may hold a patient's id and texts end in logs.
        super().__init__(code)
        self.code = code
        self.member_label = member_label

    def __reduce__(self) -> tuple[type["ArchiveRejected"], tuple[str, str]]:
        return type(self), (self.code, self.member_label)

    @property
    def words(self) -> str:
        """The sentence for a lab technician."""
        return WORDS[self.code]


def label(name: str) -> str:
    """A member's name made fit for display: one line, no control or direction characters, at most 120 characters."""
    shown = "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c)[0] == "C" else c for c in name)
    return shown if len(shown) <= 120 else f"{shown[:58]} … {shown[-58:]}"
