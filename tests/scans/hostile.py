"""Some hundred zips that no honest scanner sends, each with the code that the guard must answer with."""

from __future__ import annotations

import struct
import zlib

from tests.scans.zips import FULL, Part, build, deflated, zip64_extra

MESH = bytes(range(256)) * 40


def two(**changes: object) -> bytes:
    return build(Part(b"a_upper.stl", MESH), Part(b"b_lower.stl", MESH[::-1]), **changes)  # type: ignore[arg-type]  # names of build()


UNSAFE = (
    b"", b"../a.stl", b"a/../../b.stl", b"..", b".", b"a/./b", b"a//b", b"/etc/passwd", b"//host/share", b"..\\a.stl",
    b"a\\..\\b", b"\\\\host\\share", b"C:\\a.stl", b"C:a.stl", b"c:/a.stl", b"a.stl:hidden", b"a\0.stl", b"a\n.stl",
    b"a\x7f.stl", b"\x1b[2J.stl", b"a/.. /b.stl", b"a/...", b". . /a", b"CON", b"nul.stl", b"a/LPT1.txt", b"aux.",
    "\u202elts.exe".encode(), "\uff0e\uff0e/a.stl".encode(), "a/\uff0e\uff0e\uff0f\uff0e\uff0e/b".encode(),
    "\u2024\u2024/a".encode(), "\uff23\uff1a\uff41.stl".encode(), "a\uff3cb".encode(), "a\u2028.stl".encode(),
    b"x" * 256, b"/".join([b"d" * 200] * 6),
)  # fmt: skip

TWINS = (
    (b"a.stl", b"a.stl"),
    (b"a.stl", b"A.STL"),
    ("\u00fc.stl".encode(), "u\u0308.stl".encode()),
    ("straße.stl".encode(), b"STRASSE.stl"),
    (b"a.stl", b"a.stl."),
    (b"a.stl", b"a.stl "),
    (b"a", b"a/b.stl"),
    (b"a/b.stl", b"A"),
    ("\u0130.stl".encode(), "i\u0307.stl".encode()),
)


def names() -> dict[str, tuple[bytes, str]]:
    cases = {f"unsafe name {n} {raw[:24]!r}": (build(Part(raw, MESH)), "unsafe_name") for n, raw in enumerate(UNSAFE)}
    for first, second in TWINS:
        cases[f"twins {first!r} {second!r}"] = build(Part(first), Part(second)), "duplicate_name"
    cases["folder and file"] = build(Part(b"a/", b"", 0), Part(b"a")), "duplicate_name"
    broken = Part(b"\xff\xfe.stl", flags=1 << 11)
    cases["name that is not the UTF-8 it claims"] = build(broken), "unsafe_name"
    return cases


def kinds() -> dict[str, tuple[bytes, str]]:
    cases: dict[str, tuple[bytes, str]] = {}
    for what, mode in (
        ("link", 0o120777),
        ("device", 0o020666),
        ("block", 0o060666),
        ("pipe", 0o010666),
        ("socket", 0o140777),
    ):
        cases[what] = build(Part(b"a.stl", b"/etc/passwd", mode=mode)), "link"
    cases["link that says it is from Windows"] = build(Part(b"a", mode=0o120777, central={"made_by": 20})), "link"
    asi = struct.pack("<2HLHLHH", 0x756E, 14, 0, 0o120777, 0, 0, 0)
    cases["link in an extra field"] = build(Part(b"a", extra=asi)), "link"
    pkware = struct.pack("<2H2L2H", 0x000D, 18, 0, 0, 0, 0) + b"/etc/x"
    cases["link target in an extra field"] = build(Part(b"a", extra=pkware)), "link"
    twice = b"\1" + struct.pack("<L", zlib.crc32(b"a")) + b"../b"
    cases["second name in an extra field"] = (
        build(Part(b"a", extra=struct.pack("<2H", 0x7075, 9) + twice)),
        "unsafe_name",
    )
    for bit in (0, 6, 13):
        cases[f"encrypted by bit {bit}"] = build(Part(b"a", flags=1 << bit)), "encrypted"
    cases["encrypted, said in one place"] = build(Part(b"a", local={"flags": 1})), "header_mismatch"
    for method in (1, 6, 9, 12, 14, 93, 95, 98, 99):
        cases[f"method {method}"] = build(Part(b"a", method=method)), "unsupported_method"
    cases["patch data"] = build(Part(b"a", flags=1 << 5)), "unsupported_method"
    cases["folder with content"] = build(Part(b"a/", MESH)), "bad_header"
    return cases


def lies() -> dict[str, tuple[bytes, str]]:
    def one(**changes: object) -> bytes:
        return build(Part(b"a.stl", MESH, **changes))  # type: ignore[arg-type]  # names of Part

    big = len(MESH)
    both = {"size": big - 1}
    return {
        "other local name": (one(local={"name": b"b.stl"}), "header_mismatch"),
        "other local method": (one(local={"method": 0}), "header_mismatch"),
        "other local size": (one(local={"size": 1}), "header_mismatch"),
        "other local packed size": (one(local={"packed": 1}), "header_mismatch"),
        "other local checksum": (one(local={"crc": 1}), "header_mismatch"),
        "size one short in both": (one(local=both, central=both), "size_mismatch"),
        "size one long in both": (one(local={"size": big + 1}, central={"size": big + 1}), "size_mismatch"),
        "stored with two sizes": (one(method=0, local={"size": 9}, central={"size": 9}), "size_mismatch"),
        "wrong checksum in both": (one(local={"crc": 7}, central={"crc": 7}), "bad_crc"),
        "stored, wrong checksum": (one(method=0, local={"crc": 7}, central={"crc": 7}), "bad_crc"),
        "damaged stream": (one(packed=b"\x07" + deflated(MESH)[1:]), "bad_data"),
        "stream that ends early": (one(packed=deflated(MESH)[:-4]), "bad_data"),
        "bytes behind the stream": (one(packed=deflated(MESH) + b"more"), "bad_data"),
        "empty stream": (one(packed=b""), "bad_data"),
        "offset outside": (one(central={"offset": 10**6}), "outside"),
        "offset into the data": (one(central={"offset": 5}), "bad_header"),
        "packed size beyond the file": (one(central={"packed": 10**6}), "outside"),
        "no descriptor where one is announced": (one(flags=8), "header_mismatch"),
        "lying descriptor": (one(flags=8, descriptor=b"PK\7\x08" + bytes(12)), "header_mismatch"),
        "zip64 sizes missing": (one(central={"size": FULL}), "zip64_mismatch"),
        "zip64 size differs": (one(central={"size": FULL}, extra=zip64_extra(big + 1)), "header_mismatch"),
        "zip64 extra twice": (one(central={"size": FULL}, extra=zip64_extra(big) * 2), "zip64_mismatch"),
        "zip64 of 9 GB": (one(central={"size": FULL}, extra=zip64_extra(9 << 30)), "too_large"),
        "zip64 local size differs": (one(local={"size": FULL}, local_extra=zip64_extra(big + 1)), "header_mismatch"),
        "zip64 offset far away": (one(central={"offset": FULL}, extra=zip64_extra(1 << 62)), "outside"),
        "extra field overruns": (one(extra=b"\1\0\xff\0"), "bad_header"),
        "local extra field overruns": (one(local_extra=b"\1\0\xff\0"), "bad_header"),
        "member on another disk": (one(central={"disk": 3}), "multi_disk"),
    }


def endings() -> dict[str, tuple[bytes, str]]:
    good = two()
    inner_end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, 0, 0, 0)
    return {
        "nothing": (b"", "truncated"),
        "html": (b"<html>504 Gateway Timeout</html>", "not_a_zip"),
        "rar": (b"Rar!\x1a\7\0" + bytes(100), "not_a_zip"),
        "something in front": (two(front=b"#!/bin/sh\n"), "not_a_zip"),
        "something behind": (good + b"x", "trailing_data"),
        "two endings": (two(comment=inner_end), "ambiguous_end"),
        "an ending in the comment": (two(comment=inner_end[:-2] + b"\3\0"), "ambiguous_end"),
        "comment longer than the file": (good[:-2] + b"\x10\0", "truncated"),
        "on two disks": (two(end={"disk": 1}), "multi_disk"),
        "directory on another disk": (two(end={"directory_disk": 1}), "multi_disk"),
        "some entries elsewhere": (two(end={"here": 1}), "multi_disk"),
        "more entries than there are": (two(end={"here": 3, "entries": 3}), "bad_directory"),
        "fewer entries than there are": (two(end={"here": 1, "entries": 1}), "bad_directory"),
        "no entries stated": (two(end={"here": 0, "entries": 0}), "bad_directory"),
        "501 members": (build(*[Part(b"%d" % n) for n in range(501)]), "too_many_members"),
        "65535 stated": (two(end={"here": 65535, "entries": 65535}), "too_many_members"),
        "directory of 4 GB": (two(end={"size": FULL}), "too_large"),
        "directory starts elsewhere": (two(end={"offset": 3}), "bad_directory"),
        "gap before the end": (two(end={"size": 20}), "bad_directory"),
        "zip64 count differs": (two(zip64={"entries": 1, "here": 1}, end={"entries": 2, "here": 2}), "zip64_mismatch"),
        "zip64 offset differs": (two(zip64={}, end={"offset": 12}), "zip64_mismatch"),
        "zip64 record of odd length": (two(zip64={"length": 60}), "zip64_mismatch"),
        "zip64 locator points outside": (two(zip64={}, locator={"offset": 1 << 60}), "zip64_mismatch"),
        "zip64 locator points at a member": (two(zip64={}, locator={"offset": 0}), "zip64_mismatch"),
        "zip64 on two disks": (two(zip64={"disk": 1}), "multi_disk"),
        "zip64 locator of two disks": (two(zip64={}, locator={"disks": 2}), "multi_disk"),
        "zip64 with a directory of 1 EB": (two(zip64={"size": 1 << 60}), "too_large"),
        "zip64 with 4 billion entries": (two(zip64={"entries": 1 << 32, "here": 1 << 32}), "too_many_members"),
    }


def bombs() -> dict[str, tuple[bytes, str]]:
    zeros = bytes(40 << 20)
    small = bytes(1 << 20)
    plain = build(Part(b"a.stl", zeros))
    many = build(*[Part(b"%d" % n, small) for n in range(20)])
    return {
        "40 MB of zeros": (plain, "ratio"),
        "20 members of zeros, each small": (many, "ratio"),
        "overlap: one kernel, many names": (overlapping(60), "overlap"),
        "overlap: quoted local headers": (quoted(60), "overlap"),
        "overlap: two members, same start": (overlapping(2), "overlap"),
        "overlap: member reaches into the next": (reaching(), "overlap"),
        "overlap: member reaches into the directory": (into_directory(), "outside"),
    }


def overlapping(count: int) -> bytes:
    """Nested headers: member k's stored bytes hold members k+1 … as they stand, so each local header is honest."""
    body = b""
    members: list[tuple[bytes, bytes]] = []
    inner = MESH[:2000]
    for n in reversed(range(count)):
        name = b"%03d.stl" % n
        header = struct.pack(
            "<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, zlib.crc32(inner), len(inner), len(inner), len(name), 0
        )
        members.append((name, inner))
        body = header + name + inner
        inner = body
    members.reverse()
    directory, at = b"", 0
    for name, content in members:
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 788, 20, 0, 0, 0, 33, zlib.crc32(content), len(content), len(content), len(name),
            0, 0, 0, 0, 0o100644 << 16, at,
        ) + name  # fmt: skip
        at += 30 + len(name)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def quoted(count: int) -> bytes:
    """The quoted-overlap bomb: each member is a stored deflate block that quotes the next header, then the kernel."""
    kernel = zlib.compress(bytes(60_000), 9)[2:-4]
    content, crc_of = bytes(60_000), zlib.crc32
    names = [b"%03d.stl" % n for n in range(count)]
    packed, plain = kernel, content
    body = b""
    headers: list[tuple[bytes, bytes, bytes]] = []
    for name in reversed(names):
        header = (
            struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, crc_of(plain), len(packed), len(plain), len(name), 0)
            + name
        )
        headers.append((name, packed, plain))
        body = header + packed
        quote = struct.pack("<B2H", 0, len(header), len(header) ^ 0xFFFF)
        packed, plain = quote + header + packed, header + plain
    headers.reverse()
    directory, at = b"", 0
    for name, packed, plain in headers:
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 788, 20, 0, 8, 0, 33, crc_of(plain), len(packed), len(plain), len(name), 0, 0, 0,
            0, 0o100644 << 16, at,
        ) + name  # fmt: skip
        at += 30 + len(name) + 5
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def reaching() -> bytes:
    second = build(Part(b"b.stl", MESH, 0))[: 30 + 5 + len(MESH)]
    first = Part(b"a.stl", b"start" + second, 0)
    inside = Part(
        b"b.stl", MESH, 0, packed=b"", local={"packed": len(MESH)}, central={"packed": len(MESH), "offset": 40}
    )
    whole = build(first, inside)
    # The second member's own header is taken out again: its entry points into the first member's bytes.
    return _without_second_header(whole, 30 + 5 + len(b"start" + second))


def _without_second_header(whole: bytes, at: int) -> bytes:
    cut = whole[:at] + whole[at + 35 :]
    end = cut.rindex(b"PK\5\6")
    return cut[: end + 16] + struct.pack("<L", at) + cut[end + 20 :]


def into_directory() -> bytes:
    return build(Part(b"a.stl", MESH, 0, packed=MESH[:-60], local={"packed": len(MESH)}, central={"packed": len(MESH)}))


HOSTILE = {**names(), **kinds(), **lies(), **endings(), **bombs()}
