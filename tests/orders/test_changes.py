"""What changed from one revision to the next: every file counts, by its content."""

import uuid

import pytest

from connector.orders.changes import SHOWN_ROLES, changes, stump_label
from connector.orders.models import Revision, ScanFile

File = tuple[str, str, str]  # role, name, content


def said(old: list[File], new: list[File], notation: str = "fdi") -> list[str]:
    before, after = Revision(pk=uuid.uuid4()), Revision(pk=uuid.uuid4())
    return changes(before, after, {before.pk: rows(old), after.pk: rows(new)}, notation)


def rows(files: list[File]) -> list[ScanFile]:
    return [ScanFile(role=role, name=name, sha256=content * 64, size=1) for role, name, content in files]


def stump(tooth: int, content: str) -> File:
    return "other", f"iTero_Export_1/1_lower_tooth_{tooth}_with_ditch.ply", content


@pytest.mark.parametrize("role", SHOWN_ROLES)
def test_a_file_of_any_role_whose_content_changed_is_named(role: str) -> None:
    assert said([(role, "x", "a")], [(role, "x", "b")]) == [f"{SHOWN_ROLES[role]}: changed"]


@pytest.mark.parametrize("role", SHOWN_ROLES)
def test_so_is_one_that_came_and_one_that_went(role: str) -> None:
    kept = ("margin", "m", "c")
    unchanged = [] if role == "margin" else ["Margin line: identical"]
    came, went = said([kept], [kept, (role, "x", "a")]), said([kept, (role, "x", "a")], [kept])
    if role == "margin":
        assert (came, went) == (["Margin lines: 1 added"], ["Margin lines: 1 no longer there"])
    else:
        assert sorted(came) == sorted([f"{SHOWN_ROLES[role]}: added", *unchanged])
        assert sorted(went) == sorted([f"{SHOWN_ROLES[role]}: no longer there", *unchanged])


def test_a_role_that_we_have_no_word_for_is_another_file() -> None:
    assert said([("hologram", "x", "a")], [("hologram", "x", "b")]) == ["Other file: changed"]


@pytest.mark.parametrize(("notation", "label"), [("fdi", "Stump 44"), ("universal", "Stump 28")])
def test_each_stump_is_named_by_its_tooth(notation: str, label: str) -> None:
    old, new = [stump(28, "a"), stump(29, "b")], [stump(28, "c"), stump(29, "b")]
    assert said(old, new, notation) == [f"{label}: changed"]


def test_pictures_are_counted() -> None:
    def pictures(contents: str) -> list[File]:
        return [("thumbnail", f"{place}.jpg", one) for place, one in enumerate(contents)]

    assert said(pictures("abc"), pictures("axy")) == ["Pictures: 2 of 3 changed"]
    assert said(pictures("abc"), pictures("xbcde")) == ["Pictures: 1 of 5 changed, 2 added"]
    assert said(pictures("abc"), pictures("a")) == ["Pictures: 2 no longer there"]


def test_a_file_that_is_only_called_otherwise_is_the_same() -> None:
    old: list[File] = [("upper", "a.ply", "a"), ("texture", "t1.jpg", "b"), ("other", "x", "c")]
    new: list[File] = [("upper", "b.ply", "a"), ("texture", "t2.jpg", "b"), ("other", "y", "c")]
    assert said(old, new) == ["Upper jaw: identical"]


def test_two_files_of_the_same_content_are_two() -> None:
    assert said([("texture", "1", "a"), ("texture", "2", "a")], [("texture", "1", "a")]) == [
        "Colour images: 1 no longer there"
    ]


def test_the_jaws_come_first_and_stumps_before_other_files() -> None:
    old: list[File] = [("other", "x", "a"), stump(28, "a"), ("thumbnail", "p", "a"), ("upper", "u", "a")]
    new: list[File] = [("other", "x", "b"), stump(28, "b"), ("thumbnail", "p", "b"), ("upper", "u", "b")]
    assert said(old, new) == ["Upper jaw: changed", "Picture: changed", "Stump 44: changed", "Other file: changed"]


def test_files_that_are_not_read_yet_are_not_compared() -> None:
    assert said([], [("upper", "u", "a")]) == []


def test_what_a_mac_adds_beside_a_stump_is_none():
    junk = ScanFile(role="other", name="__MACOSX/case/._1_lower_tooth_28_with_ditch.ply", size=1)
    assert stump_label(junk, "fdi") == ""
