"""Runs mutants in watched children, two at a time, and gathers what happened. A child that dies names its mutant."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
BATCH = 2_500
# A file of at most 256 kB and 40 million pixels needs a decoded picture and some copies of it, not more.
MEMORY_MAX = 768 << 20
BATCH_SECONDS = 540
OUTSIDE = ("/etc/passwd", "/etc/hosts")


@dataclass
class Finding:
    """What went wrong with one mutant: `trouble` is crash, hang, memory, outside or broken."""

    number: int
    family: str
    trouble: str
    detail: str


@dataclass
class Outcome:
    """All mutants of a run."""

    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: int = 0

    @property
    def count(self) -> int:
        return len(self.cpu)

    def troubles(self) -> Counter[str]:
        return Counter(finding.trouble for finding in self.findings)

    def add(self, other: Outcome) -> None:
        self.verdicts += other.verdicts
        self.findings += other.findings
        self.cpu += other.cpu
        self.peak = max(self.peak, other.peak)


def run(seed: int, first: int, last: int, *, control: str = "", at_once: int = 2) -> Outcome:
    """Examine mutants `first` to `last` - 1; `control` takes a safeguard away in the children: a batch then ends with
    its first finding."""
    whole = Outcome()
    ranges = [(at, min(at + BATCH, last)) for at in range(first, last, BATCH)]
    with ThreadPoolExecutor(at_once) as pool:
        for outcome in pool.map(lambda each: _batch(seed, each[0], each[1], control), ranges):
            whole.add(outcome)
    return whole


def _batch(seed: int, first: int, last: int, control: str) -> Outcome:
    outcome = Outcome()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name) / "a" / "b"
        folder.mkdir(parents=True)
        for place in (folder, folder.parent, Path(name)):
            (place / "sentinel").write_bytes(b"untouched")
        before = _snapshot(Path(name))
        while first < last and not (control and outcome.findings):
            first = _one_child(seed, first, last, folder, control, outcome)
            if _snapshot(Path(name)) != before:
                outcome.findings.append(Finding(first - 1, "", "outside", "the watched folder has changed"))
                break
    return outcome


def _one_child(seed: int, first: int, last: int, folder: Path, control: str, outcome: Outcome) -> int:
    """Run until the end or until the child dies; the number to go on with."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    command = [sys.executable, "-s", "-m", "tests.fuzz.child", str(seed), str(first), str(last), str(folder)]
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"  # Python's own files would count as writes outside
    with tempfile.TemporaryFile() as answer:
        try:
            code = subprocess.run(
                [*command, *([control] if control else [])], cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL,
                stdout=answer, stderr=subprocess.DEVNULL, timeout=BATCH_SECONDS, check=False,
            ).returncode  # fmt: skip
        except subprocess.TimeoutExpired:
            code = -signal.SIGPROF
        answer.seek(0)
        begun, family = first - 1, ""
        for line in _lines(answer.read()):
            if "begun" in line:
                begun, family = int(str(line["begun"])), str(line["family"])
            else:
                _note(line, outcome)
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "case.zip").unlink(missing_ok=True)
    if code == 0:
        return last
    trouble = "hang" if code == -signal.SIGPROF else "crash"
    outcome.findings.append(Finding(begun, family, trouble, f"the child ended with {code}"))
    outcome.cpu.append(0.0)
    return max(begun, first) + 1


def _lines(written: bytes) -> Iterator[dict[str, object]]:
    for line in written.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            return  # the child died while it wrote


def _note(line: dict[str, object], outcome: Outcome) -> None:
    number, family, verdict = int(str(line["number"])), str(line["family"]), str(line["verdict"])
    trouble, peak = str(line["trouble"]), int(str(line["peak"]))
    if not trouble and peak > MEMORY_MAX >= outcome.peak:
        trouble, verdict = "memory", f"{peak >> 20} MB"
    if trouble:
        outcome.findings.append(Finding(number, family, trouble, verdict))
    else:
        outcome.verdicts[family, verdict] += 1
    outcome.cpu.append(float(str(line["cpu"])))
    outcome.peak = max(outcome.peak, peak)


def _snapshot(folder: Path) -> dict[str, str]:
    """Everything in the watched folder, and some files that hostile names point at."""
    found = {}
    for path in sorted([*folder.rglob("*"), *(Path(each) for each in OUTSIDE)]):
        if path.is_symlink() or not path.is_file():
            found[str(path)] = "link" if path.is_symlink() else "folder"
        else:
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
