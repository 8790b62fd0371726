"""What the child does: read the metadata, give each file its role, make previews and pictures."""

from dataclasses import replace
from pathlib import Path

from connector.scans.archive import ArchiveListing, Member, check_archive, open_member
from connector.scans.examination_record import Examination, ExaminedFile, Problem, problem
from connector.scans.junk import is_junk
from connector.scans.mesh import Mesh, MeshRejected
from connector.scans.metadata import CaseMetadata, metadata_names
from connector.scans.metadata_reader import LARGEST_DOCUMENT, MetadataRejected, read_metadata
from connector.scans.pictures import TEXTURE_SIDE, PictureRejected, read_picture, sampled, write_thumbnails
from connector.scans.ply import PlyFile, read_ply
from connector.scans.preview import thinned, write_preview
from connector.scans.rejection import label
from connector.scans.roles import IMAGES, assign_roles, extension, last_part
from connector.scans.stl import read_stl

LARGEST_MESH = 384 * 1024 * 1024


def examine_here(path: Path, out_dir: Path) -> Examination:
    """Examine in this process, without limits of its own; raises ArchiveRejected and MemoryError."""
    return _Examiner(path, out_dir, check_archive(path)).examination()


class _Examiner:
    """One zip under examination."""

    def __init__(self, path: Path, out_dir: Path, listing: ArchiveListing) -> None:
        self.path, self.out_dir, self.listing = path, out_dir, listing
        self.problems: list[Problem] = []

    def examination(self) -> Examination:
        """Everything, in the order that the results need each other."""
        metadata = self._metadata()
        objects = metadata.objects if metadata else ()
        roles = assign_roles([member.name for member in self.listing.members], objects)
        present = {last_part(member.name) for member in self.listing.members}
        missing = {each.file_name: None for each in objects if last_part(each.file_name) not in present}
        self.problems += [problem("file_missing", label(name)) for name in missing]
        files = tuple(self._file(member, roles[member.name]) for member in self.listing.members)
        return Examination(metadata, files, tuple(self.problems))

    def _metadata(self) -> CaseMetadata | None:
        """The highest version that can be read."""
        by_name = {member.name: member for member in self.listing.members}
        documents = metadata_names(by_name)
        if not documents:
            self.problems.append(problem("metadata_missing"))
        for name in documents:
            try:
                if by_name[name].size > LARGEST_DOCUMENT:
                    raise MetadataRejected("metadata_too_large")
                return read_metadata(bytes(self._bytes(by_name[name])))
            except MetadataRejected as refusal:
                self.problems.append(problem(refusal.code, label(name)))
        return None

    def _bytes(self, member: Member) -> bytearray:
        """A whole member, into memory that is taken once."""
        data = bytearray(member.size)
        with open_member(self.path, member.index) as stream:
            view, at = memoryview(data), 0
            while count := stream.readinto(view[at:]):  # type: ignore[attr-defined]  # typing's BinaryIO forgets readinto
                at += count
        return data

    def _file(self, member: Member, role: str) -> ExaminedFile:
        plain = ExaminedFile(
            name=member.name,
            display_name=label(member.name.rpartition("/")[2]),
            member_index=member.index,
            size=member.size,
            sha256=member.sha256,
            role=role,
            junk=is_junk(member.name),
        )
        if plain.junk:
            return plain
        try:
            if extension(member.name) in ("stl", "ply"):
                return self._with_preview(plain, member)
            if role == "thumbnail" or (extension(member.name) in IMAGES and role != "texture"):
                return self._with_thumbnails(plain, member)
        except (MeshRejected, PictureRejected) as refusal:
            # A margin line may come as a mesh without triangles: nothing is wrong with it.
            if not (role == "margin" and refusal.code == "mesh_empty"):
                self.problems.append(problem(refusal.code, plain.display_name))
        return plain

    def _with_thumbnails(self, plain: ExaminedFile, member: Member) -> ExaminedFile:
        large, small = f"{plain.sha256}.jpg", f"{plain.sha256}_small.jpg"
        write_thumbnails(self._bytes(member), self.out_dir / large, self.out_dir / small)
        return replace(plain, thumbnail=large, thumbnail_small=small)

    def _with_preview(self, plain: ExaminedFile, member: Member) -> ExaminedFile:
        if member.size > LARGEST_MESH:
            raise MeshRejected("mesh_too_large")
        try:
            mesh = self._mesh(member)
            small = thinned(mesh)
            name = f"{plain.sha256}.ply"
            write_preview(small, self.out_dir / name)
        except MemoryError:
            raise MeshRejected("mesh_too_large") from None
        return replace(
            plain,
            triangles=len(mesh.faces),
            box_mm=mesh.box_mm,
            coloured=mesh.colors is not None,
            preview=name,
            preview_triangles=len(small.faces),
        )

    def _mesh(self, member: Member) -> Mesh:
        if extension(member.name) == "stl":
            return read_stl(self._bytes(member))
        read = read_ply(self._bytes(member))
        return read.mesh if read.mesh.colors is not None or read.uv is None else self._textured(read, member)

    def _textured(self, read: PlyFile, member: Member) -> Mesh:
        """The mesh with its texture's colours; as it is when the texture is missing or damaged."""
        picture = self._texture_of(read, member)
        if picture is None or read.uv is None:
            return read.mesh
        try:
            texture = read_picture(self._bytes(picture), TEXTURE_SIDE)
        except PictureRejected:
            self.problems.append(problem("texture_unreadable", label(last_part(picture.name))))
            return read.mesh
        return Mesh(read.mesh.vertices, read.mesh.faces, sampled(texture, read.uv))

    def _texture_of(self, read: PlyFile, member: Member) -> Member | None:
        """The picture that the mesh's header names, else the one with the mesh's own name."""
        pictures = {last_part(each.name): each for each in self.listing.members if extension(each.name) in IMAGES}
        named = pictures.get(last_part(read.texture or ""))
        stem = last_part(member.name).rpartition(".")[0]
        return named or next((pictures[f"{stem}.{kind}"] for kind in IMAGES if f"{stem}.{kind}" in pictures), None)
