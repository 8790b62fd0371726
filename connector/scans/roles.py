"""What each file of a case is for: as the metadata says, else by the rules that the exports' file names follow."""

import re
from collections.abc import Iterable, Mapping

from connector.scans.junk import is_junk
from connector.scans.metadata import ExportedObject, metadata_names

ROLES = ("upper", "lower", "both", "pre_treatment", "margin", "thumbnail", "texture", "metadata", "rx", "other")
MESHES, IMAGES, PAPERS = ("stl", "ply", "obj"), ("jpg", "jpeg", "png", "bmp"), ("pdf", "html", "htm")
JAW_ROLES = {"upper": "upper", "lower": "lower", "both": "both", "u": "upper", "l": "lower"}
OBJECT_ROLES = {"gallery": "thumbnail", "texture": "texture", "margin": "margin"}


def assign_roles(names: Iterable[str], objects: Iterable[ExportedObject] = ()) -> Mapping[str, str]:
    """The role of every name; junk is always 'other'. Names are matched without their case."""
    names = list(names)
    stated = {}
    for each in objects:
        if role := _stated_role(each):
            stated[last_part(each.file_name)] = role
    documents = set(metadata_names(names))
    meshes = {_stem(name) for name in names if extension(name) in MESHES}
    roles = {}
    for name in names:
        if is_junk(name):
            roles[name] = "other"
        elif name in documents:
            roles[name] = "metadata"
        else:
            roles[name] = stated.get(last_part(name)) or _role_by_name(name, meshes)
    return roles


def _stated_role(listed: ExportedObject) -> str | None:
    kind, detail = listed.object_type.casefold(), listed.sub_type.casefold()
    if kind == "surface":
        if "pretreatment" in detail.replace("_", "").replace("-", ""):
            return "pre_treatment"
        # Stumps ("Die") belong to a jaw too, but are not its scan.
        return JAW_ROLES.get(listed.jaw.casefold()) if detail in ("", "jaw") else "other"
    return OBJECT_ROLES.get(detail) or OBJECT_ROLES.get(kind)


def _role_by_name(name: str, mesh_stems: set[str]) -> str:
    kind, stem = extension(name), _stem(name)
    words = set(re.split(r"[^a-z0-9]+", stem))
    if kind == "pts":
        return "margin"
    if kind in PAPERS and "rx" in words:
        return "rx"
    if kind in MESHES:
        return _mesh_role(stem, words)
    if kind in IMAGES:
        if "gallery" in stem or "thumb" in stem:
            return "thumbnail"
        # A picture named after a jaw or a scan file is that scan's colour.
        is_texture = "texture" in stem or stem in mesh_stems or _jaw(stem, words) is not None
        return "texture" if is_texture else "thumbnail"
    return "other"


def _mesh_role(stem: str, words: set[str]) -> str:
    if re.search(r"pre[_\- ]?treatment", stem):
        return "pre_treatment"
    if "margin" in stem:
        return "margin"
    if "ditch" in stem or words & {"die", "stump"}:
        return "other"
    return _jaw(stem, words) or "other"


def _jaw(stem: str, words: set[str]) -> str | None:
    upper = "upper" in stem or "maxill" in stem or "u" in words
    lower = "lower" in stem or "mandib" in stem or "l" in words
    if "ul" in words or "lu" in words or (upper and lower):
        return "both"
    return "upper" if upper else "lower" if lower else None


def last_part(name: str) -> str:
    """The file's own name without folders, in one case."""
    return re.split(r"[/\\]", name)[-1].casefold()


def extension(name: str) -> str:
    """The part behind the last dot, in one case; '' without a dot."""
    return last_part(name).rpartition(".")[2] if "." in last_part(name) else ""


def _stem(name: str) -> str:
    return last_part(name).rpartition(".")[0] or last_part(name)
