"""What must be true of everything that the guard takes, judged by code that is not the guard's."""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
from pathlib import Path

import numpy as np

from connector.scans.archive import ArchiveListing, check_archive, open_member
from connector.scans.examination_record import Examination
from connector.scans.record_json import read_record, write_record

MOST_TRIANGLES = 120_000
FREE_INFLATED, RATIO = 16 << 20, 200
PREVIEW = re.compile(
    rb"ply\nformat binary_little_endian 1\.0\nelement vertex (\d+)\nproperty float x\nproperty float y\n"
    rb"property float z\n(property uchar red\nproperty uchar green\nproperty uchar blue\n)?"
    rb"element face (\d+)\nproperty list uchar int vertex_indices\nend_header\n"
)
OUR_NAME = re.compile(r"[0-9a-f]{64}(\.ply|\.jpg|_small\.jpg)")


class Broken(Exception):  # says what happened, as the caller reads it
    """A promise that does not hold."""


def must(kept: bool, promise: str) -> None:
    if not kept:
        raise Broken(promise)


def judge_zip(path: Path) -> None:
    """The guard takes this zip: then Python's own reader sees the same names and bytes, none of them dangerous."""
    listing = check_archive(path)
    _judge_names([member.name for member in listing.members])
    size = path.stat().st_size
    must(listing.inflated <= max(FREE_INFLATED, size * RATIO), "unpacks to little more than it weighs")
    for member in listing.members:
        digest = hashlib.sha256()
        with open_member(path, member.index) as stream:
            while piece := stream.read(1 << 16):
                digest.update(piece)
        must(digest.hexdigest() == member.sha256, "a member reads the same when it is served")
    _compare_with_zipfile(path, listing)


def _judge_names(names: list[str]) -> None:
    for name in names:
        parts = name.split("/")
        must(bool(name) and all(part not in ("", ".", "..") for part in parts), "a name stays in its folder")
        must(not re.search(r"[\x00-\x1f\x7f\\:\u202a-\u202e\u2066-\u2069]", name), "a name is plain")
    must(len({name.casefold() for name in names}) == len(names), "names are distinct")


def _compare_with_zipfile(path: Path, listing: ArchiveListing) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if _says_utf8_once(path.read_bytes(), infos):
                return
            seen = {i: archive.read(info) for i, info in enumerate(infos) if not info.is_dir()}
    except NotImplementedError:
        return  # a "version needed" that zipfile does not read; it says nothing about the bytes
    must(sorted(seen) == [member.index for member in listing.members], "zipfile lists the same files")
    for member in listing.members:
        must(hashlib.sha256(seen[member.index]).hexdigest() == member.sha256, "zipfile reads the same bytes")
    _judge_places(path.read_bytes(), infos)


def _says_utf8_once(data: bytes, infos: list[zipfile.ZipInfo]) -> bool:
    """Whether a name has the same bytes twice but is marked as UTF-8 in one place only: zipfile opens none of these."""
    for info in infos:
        flags, length = struct.unpack_from("<H18xH", data, info.header_offset + 6)
        raw = data[info.header_offset + 30 : info.header_offset + 30 + length]
        if (flags ^ info.flag_bits) & 1 << 11:
            must(raw == info.orig_filename.encode("utf-8" if info.flag_bits & 1 << 11 else "cp437"), "one name")
            return True
    return False


def _judge_places(data: bytes, infos: list[zipfile.ZipInfo]) -> None:
    free_from = 0
    for info in sorted(infos, key=lambda each: each.header_offset):
        name_length, extra_length = struct.unpack_from("<2H", data, info.header_offset + 26)
        must(info.header_offset >= free_from, "no two members share a byte")
        free_from = info.header_offset + 30 + name_length + extra_length + info.compress_size
    must(free_from <= len(data), "members lie inside the zip")


def judge_examination(found: Examination, out_dir: Path) -> None:
    """The answer survives its way through JSON, and every file written is a sound one of ours."""
    document = json.dumps(write_record(found), allow_nan=False)
    must(read_record(Examination, json.loads(document)) == found, "the answer survives JSON")
    must("\\u0000" not in document, "no text holds a NUL")
    named = {name for file in found.files for name in (file.preview, file.thumbnail, file.thumbnail_small) if name}
    written = {path.name: path for path in out_dir.iterdir()}
    must(named <= set(written), "every file named is there")
    for name, path in written.items():
        must(OUR_NAME.fullmatch(name) is not None and path.is_file() and not path.is_symlink(), "files are ours")
        if name.endswith(".ply"):
            _judge_preview(path.read_bytes(), whole=name in named)
        elif name in named:
            must(path.read_bytes()[:3] == b"\xff\xd8\xff", "a picture is a JPEG of our making")
    for file in found.files:
        must(file.box_mm is None or all(0 <= side <= 200_000 for side in file.box_mm), "a box is measured in mm")


def _judge_preview(data: bytes, *, whole: bool) -> None:
    match = PREVIEW.match(data)
    must(match is not None or not whole, "a preview has our header")
    if match is None:
        return
    vertices, coloured, faces = int(match[1]), match[2] is not None, int(match[3])
    row = 15 if coloured else 12
    start = match.end()
    must(len(data) == start + vertices * row + faces * 13, "a preview is as long as it says")
    must(0 < faces <= MOST_TRIANGLES, "a preview is small")
    table = np.frombuffer(data, np.dtype([("xyz", "<f4", 3), ("rest", "u1", row - 12)]), vertices, start)
    corners = np.frombuffer(data, np.dtype([("n", "u1"), ("i", "<i4", 3)]), faces, start + vertices * row)
    must(bool(np.isfinite(table["xyz"]).all()), "a preview's coordinates are numbers")
    must(bool(((corners["i"] >= 0) & (corners["i"] < vertices)).all()), "a preview's corners exist")
