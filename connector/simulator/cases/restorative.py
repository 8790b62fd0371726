"""The restorative export, `iTero_Export_<id>.zip`: jaws, dies, margin lines, textures, several metadata files."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.simulator.cases.gallery import gallery_pictures
from connector.simulator.cases.jaws import ditched_jaw, jaw_before, lower_jaw, margin_line, texture_jpeg, upper_jaw
from connector.simulator.cases.meshfiles import Mesh, ply_bytes, stl_bytes
from connector.simulator.cases.metadata import ExportedObject, metadata_xml
from connector.simulator.cases.rxpdf import rx_pdf
from connector.simulator.cases.spec import UPPER_TEETH, CaseSpec

FINDER_JUNK = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(82)


@dataclass(slots=True)
class Export:
    """An export while it is put together: files so far, and what the metadata says of them."""

    spec: CaseSpec
    members: list[tuple[str, bytes]] = field(default_factory=list)
    objects: list[ExportedObject] = field(default_factory=list)

    def add(self, name: str, content: bytes, kind: str, subtype: str, jaw: str = "", tooth: int | None = None) -> None:
        """Add one file and its line in the metadata."""
        self.members.append((name, content))
        self.objects.append(ExportedObject(kind, subtype, name, jaw, tooth))


def restorative_members(spec: CaseSpec) -> list[tuple[str, bytes]]:
    """The files of a restorative export as (name, content), flat or under one top folder."""
    export = Export(spec)
    layout = spec.dice("layout")
    textured, numbered = layout.random() < 0.35, layout.random() < 0.3
    with_folder, with_junk, with_before = (layout.random() < share for share in (0.35, 0.25, 0.3))
    textured = textured and spec.mesh_format == "ply"
    _add_jaws(export, textured, numbered)
    if with_before:
        _add_before(export)
    _add_preparations(export)
    for name, content in gallery_pictures(spec):
        export.add(name, content, "Image", "Gallery")
    members = [*export.members, (f"iTero_Rx_{spec.order_id}.pdf", rx_pdf(spec))]
    for version in spec.metadata_versions:
        name = f"iTero_Export_#{spec.order_id}_v{version.replace('.', '')}.xml"
        members.append((name, metadata_xml(spec, version, export.objects)))
    return _laid_out(spec, members, with_folder, with_junk)


def _add_jaws(export: Export, textured: bool, numbered: bool) -> None:
    spec = export.spec
    for jaw, mesh in (("Upper", upper_jaw(spec)), ("Lower", lower_jaw(spec))):
        stem = f"{spec.order_id}_{jaw.lower()}_jaw"
        texture = f"{stem}_texture.jpg" if textured else None
        export.add(f"{stem}.{spec.mesh_format}", _mesh_bytes(spec, mesh, texture, numbered), "Surface", "Jaw", jaw)
        if texture:
            export.add(texture, texture_jpeg(spec, jaw == "Upper"), "Texture", "Jaw", jaw)


def _add_before(export: Export) -> None:
    spec = export.spec
    for upper in (True, False):
        if spec.prepared & _teeth_of(upper):
            jaw = "Upper" if upper else "Lower"
            name = f"{spec.order_id}_{jaw.lower()}_jaw_pretreatment.{spec.mesh_format}"
            content = _mesh_bytes(spec, jaw_before(spec, upper))
            export.add(name, content, "Surface", "PreTreatment_Jaw", jaw)


def _add_preparations(export: Export) -> None:
    spec = export.spec
    for tooth in sorted(spec.prepared):
        jaw = "Upper" if tooth in UPPER_TEETH else "Lower"
        name = f"{spec.order_id}_{jaw.lower()}_tooth_{tooth}_with_ditch.{spec.mesh_format}"
        export.add(name, _mesh_bytes(spec, ditched_jaw(spec, tooth)), "Surface", "Die", jaw, tooth)
        points = margin_line(spec, tooth)
        lines = "".join(f"{x:.4f} {y:.4f} {z:.4f}\n" for x, y, z in points.tolist())
        export.add(f"{spec.order_id}_margin_{tooth}.pts", lines.encode("ascii"), "Line", "Margin", jaw, tooth)


def _teeth_of(upper: bool) -> frozenset[int]:
    return frozenset(UPPER_TEETH) if upper else frozenset(range(17, 33))


def _mesh_bytes(spec: CaseSpec, mesh: Mesh, texture: str | None = None, numbered: bool = False) -> bytes:
    if spec.mesh_format == "stl":
        return stl_bytes(mesh, f"iTero case {spec.order_id}")
    return ply_bytes(mesh, texture=texture, with_object=numbered)


def _laid_out(
    spec: CaseSpec, members: list[tuple[str, bytes]], with_folder: bool, with_junk: bool
) -> list[tuple[str, bytes]]:
    top = f"iTero_Export_{spec.order_id}/" if with_folder else ""
    laid_out = [(top + name, content) for name, content in members]
    if with_junk:
        laid_out += [(f"__MACOSX/{top}._{name}", FINDER_JUNK) for name, _ in members[:3]]
    return laid_out
