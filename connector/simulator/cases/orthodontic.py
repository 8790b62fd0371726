"""The orthodontic export, `OrthoCAD_Export_<id>.zip`: jaw shells, gallery, prescription, metadata 3.0."""

from __future__ import annotations

from connector.simulator.cases.gallery import gallery_pictures
from connector.simulator.cases.jaws import lower_jaw, upper_jaw
from connector.simulator.cases.meshfiles import Mesh, joined, ply_bytes, stl_bytes
from connector.simulator.cases.metadata import ExportedObject, metadata_xml
from connector.simulator.cases.rxpdf import rx_pdf
from connector.simulator.cases.spec import CaseSpec


def orthodontic_members(spec: CaseSpec) -> list[tuple[str, bytes]]:
    """The files of an orthodontic export as (name, content)."""
    pictures = gallery_pictures(spec)
    meshes, exported = _meshes(spec)
    exported += [ExportedObject("Image", "Gallery", name) for name, _ in pictures]
    members = meshes + pictures + [(f"iTero_Rx_{spec.order_id}.pdf", rx_pdf(spec))]
    for version in spec.metadata_versions:
        name = f"itero_export_#{spec.order_id}_v{version.replace('.', '')}.xml"
        members.append((name, metadata_xml(spec, version, exported)))
    return members


def _meshes(spec: CaseSpec) -> tuple[list[tuple[str, bytes]], list[ExportedObject]]:
    upper, lower = upper_jaw(spec), lower_jaw(spec)
    ending = spec.mesh_format
    if spec.jaws_in_one:
        name = f"{spec.order_id}_shell_lockedocclusion_ul.{ending}"
        return [(name, _mesh_bytes(spec, joined(upper, lower), name))], [ExportedObject("Surface", "Jaw", name)]
    members, exported = [], []
    for letter, jaw, mesh in (("u", "Upper", upper), ("l", "Lower", lower)):
        name = f"{spec.order_id}_shell_occlusion_{letter}.{ending}"
        members.append((name, _mesh_bytes(spec, mesh, name)))
        exported.append(ExportedObject("Surface", "Jaw", name, jaw=jaw))
    return members, exported


def _mesh_bytes(spec: CaseSpec, mesh: Mesh, title: str) -> bytes:
    return stl_bytes(mesh, title) if spec.mesh_format == "stl" else ply_bytes(mesh)
