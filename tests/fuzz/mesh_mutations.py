"""Mutations that know meshes: STL's count, PLY's header, coordinates that are no numbers, corners that do not exist."""

from __future__ import annotations

import re
import struct
from random import Random

COUNTS = (0, 1, 2, 7, 13, 255, 65_536, 99_999_999, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
FLOATS = (float("nan"), float("inf"), -float("inf"), 3.4e38, 1e-45, -0.0, 1e5, 100_001.0)
WORDS = (
    b"list", b"uchar", b"char", b"short", b"uint", b"float", b"double", b"int", b"vertex", b"face", b"x", b"y",
    b"vertex_indices", b"vertex_index", b"texcoord", b"red", b"s", b"ascii", b"binary_little_endian",
    b"binary_big_endian", b"1.0", b"comment", b"TextureFile", b"../../etc/passwd", b"property", b"element", b"\xc3\x28",
)  # fmt: skip
LINES = (
    b"property double extra", b"property list uint double more", b"property list int int vertex_indices",
    b"element vertex 4294967295", b"element other 3", b"comment TextureFile ../../x.jpg", b"obj_info x",
    b"property float texture_u", b"property float texture_v", b"property uchar red",
)  # fmt: skip


def lie(rng: Random, data: bytes) -> bytes:
    """The mesh with one or two lies of its own kind."""
    for _ in range(rng.choice((1, 1, 2))):
        choices = (_header_word, _header_count, _header_line, _float, _index) if data[:3] == b"ply" else STL_LIES
        data = rng.choice(choices)(rng, data)
    return data


def _count(rng: Random, data: bytes) -> bytes:
    """STL's number of triangles, sometimes with as many bytes as it asks for."""
    count = rng.choice(COUNTS)
    body = data[84:]
    if count < 2000 and rng.random() < 0.5:
        body = (body * (count * 50 // max(len(body), 1) + 1))[: count * 50]
    return data[:80] + struct.pack("<L", count) + body


def _word(rng: Random, data: bytes) -> bytes:
    """A word of the text form becomes another."""
    found = list(re.finditer(rb"\S+", data[:4000]))
    if not found:
        return data
    place = rng.choice(found)
    new = rng.choice(
        (b"nan", b"1e999", b"-inf", b"0x10", b"", b"facet", b"endsolid", b"vertex", b"1_0", b"\xff", b"9" * 400)
    )
    return data[: place.start()] + new + data[place.end() :]


def _float(rng: Random, data: bytes) -> bytes:
    """A coordinate somewhere behind the header."""
    at = rng.randrange(min(len(data), 84), len(data) + 1)
    value = struct.pack(rng.choice("<>") + "f", rng.choice(FLOATS))
    return data[:at] + value + data[at + 4 :]


def _index(rng: Random, data: bytes) -> bytes:
    """A number near the end, where the faces are."""
    at = rng.randrange(max(0, len(data) - 200), len(data) + 1)
    value = struct.pack(rng.choice("<>") + "i", rng.choice((-1, 8, 7, 1 << 30, -(1 << 31), 255)))
    return data[:at] + value + data[at + 4 :]


def _header(data: bytes) -> tuple[bytes, bytes]:
    head, mark, rest = data.partition(b"end_header\n")
    return head, mark + rest


def _header_word(rng: Random, data: bytes) -> bytes:
    head, rest = _header(data)
    words = re.split(rb"(\s)", head)
    words[rng.randrange(len(words))] = rng.choice(WORDS)
    return b"".join(words) + rest


def _header_count(rng: Random, data: bytes) -> bytes:
    head, rest = _header(data)
    found = list(re.finditer(rb"(?<=element )(\w+) (\d+)", head))
    if not found:
        return data
    place = rng.choice(found)
    return head[: place.start(2)] + str(rng.choice(COUNTS)).encode() + head[place.end(2) :] + rest


def _header_line(rng: Random, data: bytes) -> bytes:
    head, rest = _header(data)
    lines = head.split(b"\n")
    lines.insert(rng.randrange(1, len(lines) + 1), rng.choice(LINES))
    return b"\n".join(lines) + rest


STL_LIES = (_count, _count, _float, _float, _word)
