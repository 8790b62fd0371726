"""Each broken zip is broken in its own way, and in no other that would hide it."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from connector.simulator.cases import BROKEN_KINDS, CaseSpec, broken_zip
from tests.simulator.test_cases_exports import full_zip, orthodontic, restorative


@cache
def broken(kind: str, spec: CaseSpec) -> bytes:
    with TemporaryDirectory() as folder:
        broken_zip(spec, kind, Path(folder) / "broken.zip")
        return (Path(folder) / "broken.zip").read_bytes()


def opened(kind: str, spec: CaseSpec | None = None) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(broken(kind, spec or restorative(3))))


def test_all_eight_kinds_are_offered() -> None:
    assert set(BROKEN_KINDS) == {
        "truncated", "encrypted", "traversal", "bomb", "broken_mesh", "no_metadata", "duplicate_names", "symlink",
    }  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN_KINDS)
def test_a_broken_zip_differs_from_the_sound_one(kind: str) -> None:
    assert broken(kind, restorative(3)) != full_zip(restorative(3))


def test_the_same_spec_breaks_into_the_same_bytes(tmp_path: Path) -> None:
    broken_zip(restorative(3), "bomb", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == broken("bomb", restorative(3))


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        broken_zip(restorative(3), "sideways", tmp_path / "x.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_zip_has_no_end() -> None:
    with pytest.raises(zipfile.BadZipFile):
        opened("truncated")


def test_every_member_of_an_encrypted_zip_asks_for_a_password() -> None:
    with opened("encrypted") as archive:
        assert all(info.flag_bits & 1 for info in archive.infolist())
        with pytest.raises(RuntimeError, match="password"):
            archive.read(archive.namelist()[0])


def test_a_traversal_zip_names_files_outside() -> None:
    with opened("traversal") as archive:
        assert {"../../outside.txt", "/etc/itero-outside.txt"} <= set(archive.namelist())
        assert archive.testzip() is None


def test_a_bomb_inflates_far_beyond_its_size() -> None:
    with opened("bomb") as archive:
        inflated = sum(info.file_size for info in archive.infolist())
        assert inflated > 2_000_000_000
        assert inflated > 200 * len(broken("bomb", restorative(3)))


def test_the_members_of_a_bomb_overlap() -> None:
    with opened("bomb") as archive:
        offsets = [info.header_offset for info in archive.infolist()]
        assert len(set(offsets)) < len(offsets) - 30


def test_a_broken_stl_counts_more_triangles_than_it_has() -> None:
    with opened("broken_mesh", orthodontic(0)) as archive:
        stl = archive.read(next(name for name in archive.namelist() if name.endswith(".stl")))
        assert struct.unpack_from("<L", stl, 80)[0] * 50 + 84 > len(stl)
        assert archive.testzip() is None


def test_a_broken_ply_ends_in_the_middle() -> None:
    with opened("broken_mesh") as archive, zipfile.ZipFile(io.BytesIO(full_zip(restorative(3)))) as sound:
        name = next(name for name in archive.namelist() if name.endswith(".ply"))
        assert sound.read(name).startswith(archive.read(name))
        assert len(archive.read(name)) < len(sound.read(name)) * 0.6


def test_a_zip_without_metadata_still_has_its_meshes() -> None:
    with opened("no_metadata") as archive:
        assert not [name for name in archive.namelist() if name.endswith(".xml")]
        assert [name for name in archive.namelist() if name.endswith(".ply")]


def test_a_zip_with_duplicate_names_has_two_members_of_one_name() -> None:
    with opened("duplicate_names") as archive:
        assert len(set(archive.namelist())) == len(archive.namelist()) - 1
        assert archive.testzip() is None


def test_one_member_of_a_symlink_zip_is_a_link() -> None:
    with opened("symlink") as archive:
        links = [info for info in archive.infolist() if stat.S_ISLNK(info.external_attr >> 16)]
        assert [archive.read(link) for link in links] == [b"/etc/passwd"]
