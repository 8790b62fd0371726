"""What the mutations start from: small honest zips, meshes, pictures and documents, and the crafted hostile zips."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from tests.scans.hostile import HOSTILE, MESH, two
from tests.scans.shapes import CUBE_FACES, ply, sphere, stl, text_ply, text_stl
from tests.scans.zips import Part, build, deflated, zip64_extra

FIXTURES = Path(__file__).parent.parent / "scans" / "fixtures"
LARGEST_SEED = 64 * 1024
SHADES = np.arange(24, dtype=np.uint8).reshape(8, 3) * 10
SHOWN = ("upper_u.stl", "lower_l.ply", "gallery_1.jpg", "iTero_Export_#1_v50.xml")


@cache
def documents() -> tuple[tuple[str, bytes], ...]:
    """The metadata fixtures, and shapes of XML that have broken parsers before."""
    files = sorted(FIXTURES.glob("*.xml"))
    made = {
        "nested": b"<iTeroExport>" + b"<a>" * 3000 + b"</a>" * 3000 + b"</iTeroExport>",
        "entities": b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><iTeroExport>&b;</iTeroExport>',
        "external": b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><iTeroExport/>',
        "utf-16": '<?xml version="1.0" encoding="utf-16"?><iTeroExport/>'.encode("utf-16"),
    }
    return (*((file.stem, file.read_bytes()) for file in files), *made.items())


@cache
def meshes() -> tuple[tuple[str, bytes], ...]:
    """(ending, bytes) of each way in which a mesh may be written."""
    points, faces = sphere(8)
    uv = np.linspace(0, 1, 72, dtype=np.float32).reshape(12, 6)
    quads = text_ply(faces=CUBE_FACES[:2]).rpartition(b"3 0 1 3")[0] + b"3 0 1 3\n4 4 6 7 5\n"
    return (
        ("stl", stl()),
        ("stl", stl(points, faces)),
        ("stl", text_stl()),
        ("ply", ply()),
        ("ply", ply(order=">")),
        ("ply", ply(colors=SHADES)),
        ("ply", ply(points, faces)),
        ("ply", ply(uv=uv)),
        ("ply", text_ply()),
        ("ply", text_ply(colors=SHADES)),
        ("ply", quads),
    )


@cache
def pictures() -> tuple[tuple[str, bytes], ...]:
    """(ending, bytes) of each kind of picture that is decoded."""
    rng = np.random.default_rng(7)
    noise = Image.fromarray(rng.integers(0, 255, (40, 60, 3), np.uint8))
    found = []
    for ending, kind, mode in (
        ("jpg", "JPEG", "RGB"),
        ("jpg", "JPEG", "CMYK"),
        ("png", "PNG", "RGBA"),
        ("png", "PNG", "P"),
        ("bmp", "BMP", "RGB"),
        ("bmp", "BMP", "L"),
    ):
        memory = io.BytesIO()
        noise.convert(mode).save(memory, kind)
        found.append((ending, memory.getvalue()))
    return tuple(found)


@cache
def contents() -> tuple[bytes, ...]:
    """What may stand in a zip."""
    return tuple(data for _, data in (*meshes(), *pictures(), *documents()))


def case(**files: bytes) -> bytes:
    """A zip as a scanner sends it, small: two jaws, a picture, the metadata; `files` are added or put in place."""
    honest = dict(zip(SHOWN, (stl(), ply(colors=SHADES), pictures()[0][1], documents()[2][1]), strict=True))
    return build(*(Part(name.encode(), content) for name, content in (honest | files).items()))


@cache
def honest_zips() -> tuple[bytes, ...]:
    """Zips that the guard takes, in each spelling of the format."""
    crc, size, packed = zlib.crc32(MESH), len(MESH), deflated(MESH)
    numbers = struct.pack("<3L", crc, len(packed), size)
    blank: dict[str, int | bytes] = {"crc": 0, "size": 0, "packed": 0}
    streamed = Part(b"a_upper.stl", MESH, flags=8, local=blank, descriptor=b"PK\7\x08" + numbers)
    bare = Part(b"a_upper.stl", MESH, flags=8, local=blank, descriptor=numbers)
    full = 0xFFFF_FFFF
    wide = Part(b"a.stl", MESH, central={"size": full, "packed": full}, extra=zip64_extra(size, len(packed)))
    times = struct.pack("<HHBL", 0x5455, 5, 1, 1_700_000_000)
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("b/", b"")
        archive.writestr("b/übung_upper.stl", stl())
        archive.comment = b"from a scanner"
    return (
        two(), two(zip64={}), two(comment=b"hello"), build(Part(b"a_l.stl", MESH, 0), Part(b"x/", b"", 0)),
        build(streamed, Part(b"z.ply", ply())), build(bare), build(wide), build(Part(b"t.stl", MESH, extra=times)),
        build(Part("ü_upper.stl".encode(), stl(), flags=1 << 11)), memory.getvalue(), case(),
    )  # fmt: skip


@cache
def hostile_zips() -> tuple[bytes, ...]:
    """The crafted archives of the guard's own tests, without the large ones."""
    return tuple(data for data, _ in HOSTILE.values() if 0 < len(data) <= LARGEST_SEED)
