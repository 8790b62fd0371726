"""What an examination tells: the case's metadata, a record per file, and what went wrong in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from connector.scans.metadata import CaseMetadata

PROBLEM_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "metadata_missing": "The zip holds no iTero metadata; files are sorted by their names alone.",
        "metadata_unreadable": "The metadata file is damaged.",
        "metadata_too_large": "The metadata file is larger than a case's metadata can be.",
        "metadata_foreign": "The metadata file is not an iTero export.",
        "file_missing": "The metadata names this file, but it is not in the zip.",
        "mesh_truncated": "The scan file ends too early.",
        "mesh_size": "The scan file's length does not fit the number of triangles that it states.",
        "mesh_format": "The scan file is damaged, or of a kind that we can't show.",
        "mesh_not_finite": "The scan file holds coordinates that are not numbers or lie far outside a mouth.",
        "mesh_index": "The scan file's triangles point at corners that do not exist.",
        "mesh_empty": "The scan file holds no triangles.",
        "mesh_too_large": "The scan file is too large to be shown here. It can be downloaded.",
        "texture_unreadable": "The scan's colour image can't be read; the scan is shown without colour.",
        "image_unreadable": "The picture can't be read.",
        "image_too_large": "The picture is too large to be shown here. It can be downloaded.",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read; the zip is good nevertheless. `file_name` is '' for the whole case."""

    code: str
    file_name: str
    words: str


@dataclass(frozen=True, slots=True)
class ExaminedFile:
    """A file of the zip: sizes in bytes, box in mm (x, y, z), previews and pictures as file names in the output folder.

    `name` is the member's whole name in the zip, `display_name` its last part made fit for display. `role` is one of
    upper, lower, both, pre_treatment, margin, thumbnail, texture, metadata, rx, other.
    """

    name: str
    display_name: str
    member_index: int
    size: int
    sha256: str
    role: str
    junk: bool = False
    triangles: int | None = None
    box_mm: tuple[float, float, float] | None = None
    coloured: bool = False
    preview: str | None = None
    preview_triangles: int | None = None
    thumbnail: str | None = None
    thumbnail_small: str | None = None


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found in one zip."""

    metadata: CaseMetadata | None
    files: tuple[ExaminedFile, ...]
    problems: tuple[Problem, ...]


def problem(code: str, file_name: str = "") -> Problem:
    """The problem with its words."""
    return Problem(code, file_name, PROBLEM_WORDS[code])
