"""Writes zips whose bytes depend on their members alone: fixed times, given order, whole or not at all."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

STORED_AS_IS = (".jpg", ".png")  # already compressed


def write_zip(out: Path, members: Iterable[tuple[str, bytes]], stamp: datetime) -> None:
    """Write members in this order to `out`, by way of a `.part` beside it, so that nobody meets half a zip."""
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, content in members:
            archive.writestr(member(name, stamp), content, compresslevel=4)
    part.replace(out)


def write_bytes(out: Path, content: bytes) -> None:
    """Write `content` to `out` whole or not at all."""
    part = out.with_name(out.name + ".part")
    out.parent.mkdir(parents=True, exist_ok=True)
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(out)


def member(name: str, stamp: datetime) -> zipfile.ZipInfo:
    """The zip entry of one plain file, dated by the scan and not by the clock (zip times are even seconds)."""
    info = zipfile.ZipInfo(name, (stamp.year, stamp.month, stamp.day, stamp.hour, stamp.minute, stamp.second // 2 * 2))
    info.compress_type = zipfile.ZIP_STORED if name.lower().endswith(STORED_AS_IS) else zipfile.ZIP_DEFLATED
    info.create_system = 3  # Unix, whatever machine builds it
    info.external_attr = 0o100644 << 16
    return info
