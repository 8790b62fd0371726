"""The operator's table of reason codes names what the code can write, no more and no less, and each has words."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from connector.pairing.words import REASONS

ROOT = Path(__file__).resolve().parents[2]
# Their codes have lists of their own: zips (docs/operations.md names the modules), the REST export (docs/lms-api.md),
# who comes in, who acts. The stand-in speaks as Align does.
OWN_LISTS = ("connector/scans/", "connector/lms/", "connector/simulator/", "labportal/signin/", "labportal/audit/")
PLACES = {"reason", "problem", "code", "REASON", "NOT_LOOKED", "WORKER_DOWN", "QUEUE_STUCK", "SUPERSEDED"}
REFUSALS = {"ConnectRefused", "PairingStopped", "SealError"}
READING = {"filter", "exclude", "get"}  # of rows: what is compared there is written elsewhere
NOT_WRITTEN = {
    "itero_error": "base of the errors",
    "retryable": "base of the errors",
    "needs_a_human": "base of the errors",
    "bad_notification": "answered to whoever pushed it",
    "injected_fault": "tests alone",
    "notification": "who acts, in the audit",
    "afterwards": "who acts, in the audit",
    "piece_changed": "breaks off an answer that has begun; the log alone",
    "zip": "what was downloaded, in the audit",
}


def written() -> set[str]:
    """Every text that our source puts where a reason code goes."""
    found: set[str] = set()
    for folder in ("connector", "labportal"):
        for file in (ROOT / folder).rglob("*.py"):
            name = file.relative_to(ROOT).as_posix()
            if not name.startswith(OWN_LISTS) and "/migrations/" not in name:
                for node in ast.walk(ast.parse(file.read_text())):
                    found.update(texts(node))
    return {code for code in found if re.fullmatch(r"[a-z_]+", code)} | deaths_of_the_guards_child()


def deaths_of_the_guards_child() -> set[str]:
    """connector/scans/checking.py makes a code of each way in which its child may die."""
    sources = [(ROOT / "connector/scans" / name).read_text() for name in ("child.py", "checking.py")]
    assert "check_{death.code}" in sources[1]
    return {f"check_{way}" for source in sources for way in re.findall(r'(?:ChildDied\(|return |else )"(\w+)"', source)}


def texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from assigned(target, node.value)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield from assigned(node.target, node.value)
    elif isinstance(node, ast.Call):
        called = last_name(node.func)
        if called in REFUSALS and node.args:
            yield from constants(node.args[0])
        if called not in READING:
            for given in node.keywords:
                if given.arg in PLACES:
                    yield from constants(given.value)
    elif isinstance(node, ast.FunctionDef) and "reason code" in (ast.get_docstring(node) or "").lower():
        for inner in ast.walk(node):
            if isinstance(inner, ast.Return) and inner.value is not None:
                yield from constants(inner.value)


def assigned(target: ast.expr, value: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its_value in zip(target.elts, value.elts, strict=True):
            yield from assigned(one, its_value)
    elif last_name(target) in PLACES:
        yield from constants(value)


def last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def constants(value: ast.expr) -> Iterator[str]:
    """A text itself, and the texts that `or` and `if` choose from."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.BoolOp):
        for one in value.values:
            yield from constants(one)
    elif isinstance(value, ast.IfExp):
        yield from constants(value.body)
        yield from constants(value.orelse)


def documented() -> list[str]:
    part = (ROOT / "docs/operations.md").read_text().split("### Reason codes")[1].split("\nCodes of a zip")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    return [code for row in rows for code in re.findall(r"`([a-z_]+)`", row)]


def test_every_code_that_the_table_names_can_be_written() -> None:
    assert set(documented()) - written() == set()


def test_every_code_that_can_be_written_stands_in_the_table() -> None:
    assert written() - set(documented()) - set(NOT_WRITTEN) == set()


def test_what_is_left_out_of_the_table_is_there_to_be_left_out() -> None:
    assert set(NOT_WRITTEN) - written() == set()
    assert set(NOT_WRITTEN) & set(documented()) == set()


def test_no_code_stands_in_the_table_twice() -> None:
    assert len(documented()) == len(set(documented()))


def test_every_code_of_the_table_has_words_for_the_lab_and_no_words_are_left_over() -> None:
    # REST says the first three in its own words, admin shows the last.
    for_programs = {"file_missing", "file_unreadable", "file_damaged", "clock_wrong"}
    assert set(REASONS) ^ set(documented()) == for_programs
