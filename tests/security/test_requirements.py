"""docs/asvs.csv and docs/hipaa.csv: complete, in order, and every test that they name is there."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
OFFICIAL = "tests/security/asvs-5.0-levels.csv"
# 45 CFR 164.312: standards, and their implementation specifications.
HIPAA = ("a.1", "a.2.i", "a.2.ii", "a.2.iii", "a.2.iv", "b", "c.1", "c.2", "d", "e.1", "e.2.i", "e.2.ii")


def load() -> Any:
    spec = importlib.util.spec_from_file_location("check_requirements", ROOT / "scripts" / "check_requirements.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load()
ASVS = check.rows_of("docs/asvs.csv")
SAFEGUARDS = check.rows_of("docs/hipaa.csv")


def run(*arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "scripts/check_requirements.py", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_every_requirement_of_level_1_and_2_has_its_row_with_its_level() -> None:
    official = {row["requirement"]: row["level"] for row in check.rows_of(OFFICIAL)}
    assert len(official) == 345
    wanted = {name: level for name, level in official.items() if level in {"1", "2"}}
    assert {row["requirement"]: row["level"] for row in ASVS} == wanted
    assert len(ASVS) == len(wanted) == 253


def test_the_rows_stand_in_their_order() -> None:
    assert sorted(ASVS, key=check.order) == ASVS
    assert [row["requirement"] for row in SAFEGUARDS] == [f"164.312({name.replace('.', ')(')})" for name in HIPAA]


@pytest.mark.parametrize("row", [*ASVS, *SAFEGUARDS], ids=lambda row: row["requirement"])
def test_a_row_says_how_it_stands_and_names_tests_that_are_there(row: dict[str, str]) -> None:
    assert list(check.incomplete(row)) == []


@pytest.mark.parametrize("row", [*ASVS, *SAFEGUARDS], ids=lambda row: row["requirement"])
def test_a_place_in_the_documents_that_a_row_names_is_there(row: dict[str, str]) -> None:
    for file, place in re.findall(r"([\w./-]+\.md)(?:#([\w-]+))?", row["note"]):
        text = (ROOT / file).read_text(encoding="utf-8")
        headings = {slug(line.lstrip("# ")) for line in text.splitlines() if line.startswith("#")}
        assert not place or place in headings, f"{file}#{place}"


def slug(heading: str) -> str:
    """As the forges make an anchor of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def test_the_command_counts() -> None:
    status, said = run()
    assert status == 0, said
    assert re.fullmatch(
        r"ASVS 5\.0 level 2: \d+ met, \d+ not applicable, \d+ not met; \d+ tests named, all there\n"
        r"HIPAA 164\.312: \d+ met, 0 not applicable, \d+ not met; \d+ tests named, all there\n",
        said,
    )


# --- what it refuses

GOOD = {
    "requirement": "V1.1.1", "level": "2", "about": "some words", "status": "met", "note": "",
    "tests": "tests/security/test_requirements.py::test_the_command_counts",
}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {"tests": ""},
        {"tests": "tests/security/test_requirements.py::test_that_was_renamed"},
        {"tests": "tests/security/test_gone.py::test_the_command_counts"},
        {"tests": "tests/security/test_requirements.py::load"},
        {"status": "not applicable", "tests": ""},
        {"status": "not met", "note": "no"},
        {"status": "partly"},
        {"about": "one two three four five six seven eight nine ten eleven twelve thirteen"},
    ],
)
def test_an_incomplete_row_is_named(change: dict[str, str]) -> None:
    assert list(check.incomplete(GOOD)) == []
    assert list(check.incomplete(GOOD | change)) != []


def report_with(tests: dict[str, str], folder: Path) -> str:
    """A JUnit report: test → what stands inside of its case."""
    cases = "".join(
        f'<testcase classname="{test.partition(".py::")[0].replace("/", ".")}" name="{test.partition("::")[2]}">'
        f"{inside}</testcase>"
        for test, inside in tests.items()
    )
    file = folder / "report.xml"
    file.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return str(file)


def named() -> list[str]:
    return sorted({test for row in [*ASVS, *SAFEGUARDS] for test in row["tests"].split()})


def test_when_all_named_tests_passed_it_says_so(tmp_path: Path) -> None:
    status, said = run(report_with(dict.fromkeys(named(), ""), tmp_path))
    assert status == 0, said
    assert said.count("tests named, all passed\n") == 2


@pytest.mark.parametrize("inside", ["<failure/>", "<error/>", '<skipped type="pytest.skip"/>'])
def test_one_that_failed_or_was_skipped_is_named(tmp_path: Path, inside: str) -> None:
    victim = named()[0]
    status, said = run(report_with(dict.fromkeys(named(), "") | {victim: inside}, tmp_path))
    assert status == 1
    assert f"{victim} did not pass\n" in said


def test_one_bad_parameter_is_enough(tmp_path: Path) -> None:
    victim = named()[0]
    cases = dict.fromkeys(named(), "") | {f"{victim}[good]": "", f"{victim}[bad]": "<failure/>"}
    status, said = run(report_with(cases, tmp_path))
    assert status == 1
    assert f"{victim} did not pass\n" in said


def test_one_that_was_left_out_is_named(tmp_path: Path) -> None:
    victim = named()[0]
    status, said = run(report_with({test: "" for test in named() if test != victim}, tmp_path))
    assert status == 1
    assert f"{victim} did not run\n" in said
