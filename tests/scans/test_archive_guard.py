"""The zip guard against honest zips and against every hostile one."""

import hashlib
import io
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.scans import archive
from connector.scans.archive import check_archive, open_member
from connector.scans.directory import Entry
from connector.scans.end_record import DirectoryPlace
from connector.scans.extents import Extent, read_extents
from connector.scans.limits import Limits
from connector.scans.rejection import WORDS, ArchiveRejected
from tests.scans.hostile import HOSTILE, MESH, two
from tests.scans.zips import Part, build, deflated

# What Python's zipfile opens and tests without complaint: the reason for a guard of our own.
ACCEPTED_BY_ZIPFILE = ["40 MB of zeros", "link", "unsafe name 1 b'../a.stl'", "other local size", "something in front"]


def saved(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "case.zip"
    path.write_bytes(data)
    return path


def rejected(path: Path, limits: Limits | None = None) -> ArchiveRejected:
    with pytest.raises(ArchiveRejected) as caught:
        check_archive(path, limits or Limits())
    return caught.value


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_zip_is_refused_for_the_right_reason(case: str, tmp_path: Path) -> None:
    data, code = HOSTILE[case]
    assert rejected(saved(tmp_path, data)).code == code


@pytest.mark.parametrize("case", ACCEPTED_BY_ZIPFILE)
def test_zipfile_alone_would_have_taken_it(case: str) -> None:
    with zipfile.ZipFile(io.BytesIO(HOSTILE[case][0])) as taken:
        assert taken.testzip() is None


@pytest.mark.parametrize("case", [case for case, (_, code) in HOSTILE.items() if code == "overlap"])
def test_an_overlap_is_honest_in_all_but_its_overlap(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unordered(file: BinaryIO, entries: tuple[Entry, ...], place: DirectoryPlace) -> tuple[Extent, ...]:
        return tuple(read_extents(file, (entry,), place)[0] for entry in entries)

    # The negative control: a guard that looks at each member alone takes the bomb.
    monkeypatch.setattr(archive, "read_extents", unordered)
    assert check_archive(saved(tmp_path, HOSTILE[case][0])).inflated > 0


def test_there_are_at_least_a_hundred_distinct_hostile_zips() -> None:
    assert len(HOSTILE) == len({data for data, _ in HOSTILE.values()}) >= 100


def test_every_code_has_words_for_a_technician() -> None:
    assert {code for _, code in HOSTILE.values()} <= set(WORDS)
    assert all(words.endswith(".") for words in WORDS.values())


def test_a_zip_cut_off_anywhere_is_truncated(tmp_path: Path) -> None:
    whole = two()
    codes = {rejected(saved(tmp_path, whole[:length])).code for length in range(1, len(whole), 7)}
    assert codes == {"truncated"}


def test_an_honest_zip_is_listed_with_sizes_and_hashes(tmp_path: Path) -> None:
    listing = check_archive(saved(tmp_path, two()))
    assert [(each.index, each.name, each.size) for each in listing.members] == [
        (0, "a_upper.stl", len(MESH)),
        (1, "b_lower.stl", len(MESH)),
    ]
    assert listing.members[0].sha256 == hashlib.sha256(MESH).hexdigest()
    assert listing.inflated == 2 * len(MESH)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("wide", [True, False])
def test_what_zipfile_writes_is_accepted(method: int, seekable: bool, wide: bool, tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def tell(self) -> int:
            if not seekable:
                raise OSError
            return super().tell()

        def seekable(self) -> bool:
            return seekable

    memory = Pipe()
    with zipfile.ZipFile(memory, "w", method) as packer, packer.open("top/a_u.stl", "w", force_zip64=wide) as member:
        member.write(MESH)
    assert check_archive(saved(tmp_path, memory.getvalue())).members[0].size == len(MESH)


def test_zip64_records_and_a_comment_are_understood(tmp_path: Path) -> None:
    assert len(check_archive(saved(tmp_path, two(zip64={}, comment=b"from the scanner"))).members) == 2


def test_folders_are_no_members(tmp_path: Path) -> None:
    listing = check_archive(saved(tmp_path, build(Part(b"top/", b"", 0, mode=0o040755), Part(b"top/a.stl"))))
    assert [(each.index, each.name) for each in listing.members] == [(1, "top/a.stl")]


def test_names_with_signs_and_letters_of_any_language_pass(tmp_path: Path) -> None:
    names = ["gallery_#12_penta_front_m.jpg", "Müller, Jürgen (2).stl", "日本語/上顎.ply", "a..b.stl"]
    listing = check_archive(saved(tmp_path, build(*[Part(name.encode()) for name in names])))
    assert [each.name for each in listing.members] == names


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(file_size=100), "too_large"),
        (Limits(members=1), "too_many_members"),
        (Limits(inflated=len(MESH)), "too_large"),
        (Limits(directory_size=20), "too_large"),
        (Limits(ratio=2, free_per_member=10), "ratio"),
        (Limits(ratio=2, free_in_all=10), "ratio"),
    ],
)
def test_limits_hold(limits: Limits, code: str, tmp_path: Path) -> None:
    assert rejected(saved(tmp_path, two()), limits).code == code


def test_a_refusal_names_the_member_for_display_and_keeps_it_out_of_its_text(tmp_path: Path) -> None:
    refusal = rejected(saved(tmp_path, build(Part(b"Doe_Jane\x1b.stl"))))
    assert refusal.member_label == "Doe_Jane�.stl"
    assert str(refusal) == "unsafe_name"


def test_a_member_is_read_by_index_and_by_name(tmp_path: Path) -> None:
    path = saved(tmp_path, two())
    with open_member(path, 1) as by_index, open_member(path, "b_lower.stl") as by_name:
        assert by_index.read() == by_name.read() == MESH[::-1]


def test_a_member_is_streamed_in_pieces(tmp_path: Path) -> None:
    with open_member(saved(tmp_path, two()), 0) as stream:
        assert b"".join(iter(lambda: stream.read(1000), b"")) == MESH


def test_a_missing_member_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRejected, match="no_such_member"):
        open_member(saved(tmp_path, two()), "c.stl")


def test_a_damaged_member_is_noticed_while_it_is_read(tmp_path: Path) -> None:
    path = saved(tmp_path, build(Part(b"a.stl", MESH, local={"crc": 7}, central={"crc": 7})))
    with open_member(path, 0) as stream, pytest.raises(ArchiveRejected, match="bad_crc"):
        stream.read()


def test_no_more_than_the_stated_size_is_ever_given_out(tmp_path: Path) -> None:
    lie: dict[str, int | bytes] = {"size": 100}
    path = saved(tmp_path, build(Part(b"a.stl", MESH, packed=deflated(bytes(1 << 24)), local=lie, central=lie)))
    with open_member(path, 0) as stream, pytest.raises(ArchiveRejected, match="size_mismatch"):
        stream.read()


@settings(max_examples=300, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_zip_is_refused_or_intact_and_nothing_else(data: st.DataObject, tmp_path: Path) -> None:
    zip64: dict[str, int] | None = data.draw(st.sampled_from([None, {}]))
    small = build(Part(b"a.stl", MESH[:300]), Part(b"b", b"note", 0), zip64=zip64)
    mutant = bytearray(small)
    for _ in range(data.draw(st.integers(1, 4))):
        mutant[data.draw(st.integers(0, len(mutant) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.sampled_from([None, -1, len(small) // 2]))
    try:
        listing = check_archive(saved(tmp_path, bytes(mutant[:cut])))
    except ArchiveRejected as refusal:
        assert refusal.code in WORDS  # noqa: PT017  # a mutant may also be sound
    else:
        wanted = {hashlib.sha256(MESH[:300]).hexdigest(), hashlib.sha256(b"note").hexdigest()}
        assert {each.sha256 for each in listing.members} == wanted
