"""Safeguards that a run can take away, each in its own child process only: the harness must then report trouble."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from connector.scans import archive, directory, examiner, extents, mesh, pictures, ply, ply_faces, ply_header, stl


def _put(module: ModuleType, name: str, value: object) -> None:
    assert hasattr(module, name), name
    setattr(module, name, value)


def _nothing(*_args: Any, **_named: Any) -> None:
    return None


def _no_names() -> None:
    _put(directory, "refuse_unsafe", _nothing)
    _put(directory, "refuse_twins", _nothing)


def _no_overlap() -> None:
    def alone(file: Any, entries: Any, place: Any) -> Any:
        return tuple(extents.read_extents(file, (entry,), place)[0] for entry in entries)

    _put(archive, "read_extents", alone)


def _no_checksums() -> None:
    def unchecked(file: Any, extent: Any) -> Any:
        file.seek(extent.data)
        yield from archive._unpacked(file, extent.entry) if extent.entry.method else archive._raw(file, extent.entry)

    _put(archive, "_inflated", unchecked)


def _no_counts() -> None:
    """PLY's announced counts are believed, and memory is taken for them."""

    def believing(header: Any, _size: int) -> None:
        for element in header.elements:
            np.ones((min(element.count, 1 << 28), 8))

    _put(ply_header, "_refuse_overclaims", believing)


def _no_soundness() -> None:
    def unchecked(vertices: Any, faces: Any, colors: Any = None) -> Any:
        return mesh.Mesh(vertices, faces, colors)

    _put(mesh, "checked", unchecked)
    _put(ply, "checked", unchecked)
    _put(ply_faces, "sound_indices", lambda indices, _vertices: indices.astype("i4"))


def _no_net_under_pillow() -> None:
    def bare(data: bytes, side: int) -> Image.Image:
        image = Image.open(io.BytesIO(data))
        image.thumbnail((side, side))
        return image.convert("RGB")

    _put(examiner, "read_picture", bare)
    _put(pictures, "read_picture", bare)


def _endless() -> None:
    """A reader that waits for an end which a cut file does not have."""
    honest = stl._text

    def endless(data: bytes) -> Any:
        while b"endsolid" not in data:
            pass
        return honest(data)

    _put(stl, "_text", endless)


def _extracting() -> None:
    """The naive way: unpack to the member's own name before looking at anything."""
    looked = archive.check_archive

    def unpacked(path: Path) -> Any:
        try:
            with zipfile.ZipFile(path) as opened:
                for info in opened.infolist():
                    target = path.parent / "out" / info.filename
                    if "sentinel" in info.filename and not info.is_dir():
                        target.write_bytes(b"overwritten")
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            pass
        return looked(path)

    _put(examiner, "check_archive", unpacked)


# What is taken away → how, and what the harness must then report at least once.
CONTROLS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "names": (_no_names, ("broken",)),
    "overlap": (_no_overlap, ("broken",)),
    "checksums": (_no_checksums, ("broken", "crash")),
    "ply-counts": (_no_counts, ("memory", "crash")),
    "mesh-soundness": (_no_soundness, ("broken", "crash")),
    "picture-net": (_no_net_under_pillow, ("crash",)),
    "time": (_endless, ("hang",)),
    "never-extract": (_extracting, ("outside",)),
}
