"""Compares docs/asvs.csv and docs/hipaa.csv with the tests: what they name exists, and passed in the run of a report.

    check_requirements.py               every row is complete, every named test is there
    check_requirements.py REPORT.xml    and every named test ran and passed (JUnit, of `pytest --junitxml`)

A named test that was skipped, left out, or failed with one of its parameters counts as not passed. Exits 1 with a line
for each fault, else prints one line for each list.
"""

import ast
import csv
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTS = {"ASVS 5.0 level 2": "docs/asvs.csv", "HIPAA 164.312": "docs/hipaa.csv"}
STATUS = ("met", "not applicable", "not met")
Row = dict[str, str]


def rows_of(file: str, root: Path = ROOT) -> list[Row]:
    with (root / file).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def order(row: Row) -> list[int]:
    """The place of V1.10.2 behind V1.9.1."""
    return [int(part) for part in row["requirement"].removeprefix("V").split(".")]


def incomplete(row: Row) -> Iterator[str]:
    """What a row lacks, whatever the tests say."""
    if row["status"] not in STATUS:
        yield f"status {row['status']!r}"
    if row["status"] == "met" and not row["tests"].split():
        yield "met, but no test is named"
    if row["status"] != "met" and len(row["note"].split()) < 3:
        yield f"{row['status']}, without a reason"
    if not 1 <= len(row["about"].split()) <= 12:
        yield "about: one to twelve words"
    for test in row["tests"].split():
        if not exists(test):
            yield f"no such test: {test}"


def exists(test: str, root: Path = ROOT) -> bool:
    """Whether that file defines that test, as pytest collects it: `tests/a/test_b.py::test_c`, without parameters."""
    file, _, name = test.partition("::")
    if not name.startswith("test_") or not Path(file).name.startswith("test_"):
        return False
    return name in _tests_in(root / file)


@cache
def _tests_in(file: Path) -> frozenset[str]:
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def results(report: Path) -> dict[str, bool]:
    """Test → whether it ran and passed with all of its parameters."""
    found: dict[str, bool] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - a report of our own pytest
        name = case.get("name", "").partition("[")[0]
        test = f"{case.get('classname', '').replace('.', '/')}.py::{name}"
        passed = not any(child.tag in {"failure", "error", "skipped"} for child in case)
        found[test] = found.get(test, True) and passed
    return found


def main(arguments: list[str]) -> int:
    passed = results(Path(arguments[0])) if arguments else None
    faults, lines = [], []
    for title, file in LISTS.items():
        rows = rows_of(file)
        named = sorted({test for row in rows for test in row["tests"].split()})
        faults += [f"{file}: {row['requirement']}: {fault}" for row in rows for fault in incomplete(row)]
        if passed is not None:
            faults += [f"{file}: {test} did not run" for test in named if test not in passed]
            faults += [f"{file}: {test} did not pass" for test in named if not passed.get(test, True)]
        count = Counter(row["status"] for row in rows)
        kinds = ", ".join(f"{count[status]} {status}" for status in STATUS)
        lines.append(f"{title}: {kinds}; {len(named)} tests named, all {'there' if passed is None else 'passed'}")
    sys.stdout.write("\n".join(faults or lines) + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
