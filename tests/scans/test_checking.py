"""The zip guard in its child: it says what the guard says, and dies alone."""

import errno
import os
from pathlib import Path

import pytest

from connector.scans import checking
from connector.scans.archive import check_archive
from connector.scans.checking import CheckFailed, bounds_for, check_in_child
from connector.scans.child import Bounds, Waiting
from connector.scans.limits import GIB, MIB
from connector.scans.rejection import ArchiveRejected
from tests.scans.children import Children
from tests.scans.heavy import heavy_zip
from tests.scans.hostile import HOSTILE, two
from tests.scans.zips import Part, build

SOME = list(HOSTILE)[::9]


def saved(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "case.zip"
    path.write_bytes(data)
    return path


def refused(path: Path, *, in_child: bool) -> tuple[str, str]:
    with pytest.raises(ArchiveRejected) as caught:
        (check_in_child if in_child else check_archive)(path)
    return caught.value.code, caught.value.member_label


@pytest.mark.parametrize("case", SOME)
def test_a_hostile_zip_is_refused_as_the_guard_refuses_it_and_leaves_nothing(
    children: Children, case: str, tmp_path: Path
) -> None:
    path = saved(tmp_path, HOSTILE[case][0])
    assert refused(path, in_child=True) == refused(path, in_child=False)
    assert [each.name for each in tmp_path.iterdir()] == ["case.zip"]
    assert path.read_bytes() == HOSTILE[case][0]
    assert children() == []


def test_a_name_in_any_letters_survives_the_way_back(tmp_path: Path) -> None:
    part = Part("Müller, Jürgen 日本語\x1b.stl".encode())
    assert refused(saved(tmp_path, build(part)), in_child=True) == ("unsafe_name", "Müller, Jürgen 日本語�.stl")


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """64 members of 64 MB each."""
    return heavy_zip(tmp_path_factory.mktemp("heavy") / "heavy.zip", 64)


def test_a_large_zip_passes_within_its_bounds(tmp_path: Path) -> None:
    check_in_child(heavy_zip(tmp_path / "large.zip", 8))


def test_honest_work_beyond_the_seconds_of_cpu_ends_by_them(children: Children, heavy: Path) -> None:
    """By the child's own limit, so also when the parent is dead."""
    with pytest.raises(CheckFailed) as death:
        check_in_child(heavy, bounds=Bounds(cpu=1, clock=100, memory=checking.MEMORY))
    assert death.value.code == "check_time"
    assert children() == []


def test_too_little_memory_ends_the_child_alone(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed) as death:
        check_in_child(saved(tmp_path, two()), bounds=Bounds(cpu=5, clock=20, memory=16 * MIB))
    assert death.value.code in ("check_out_of_memory", "check_killed")  # Python may not even come up
    check_in_child(saved(tmp_path, two()))


def test_the_parent_goes_on_while_a_check_takes_long(children: Children, heavy: Path) -> None:
    turns: list[list[int]] = []
    check_in_child(heavy, waiting=Waiting(0.1, lambda: turns.append(children())))
    assert len(turns) >= 3
    assert all(len(each) == 1 for each in turns)


def test_a_disk_that_cannot_be_read_is_no_fault_of_the_zip(tmp_path: Path) -> None:
    """A folder in place of the file: the child's read fails as on a bad disk."""
    with pytest.raises(OSError, match=os.strerror(errno.EISDIR)) as caught:
        check_in_child(tmp_path)
    assert caught.value.errno == errno.EISDIR


def test_a_child_that_answers_something_else_has_not_passed_the_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "CHILD", "tests.scans.bad_children.any")
    path = saved(tmp_path, two())
    with pytest.raises(CheckFailed, match="check_bad_answer"):
        check_in_child(path, bounds=Bounds(cpu=5, clock=20, memory=checking.MEMORY))


def test_the_time_grows_with_what_a_zip_may_unpack_to() -> None:
    small, large = bounds_for(20_000), bounds_for(4 * GIB)
    assert small.cpu < 30
    assert large.cpu > 8 * GIB / checking.BYTES_A_SECOND
    assert small.memory == large.memory == checking.MEMORY
