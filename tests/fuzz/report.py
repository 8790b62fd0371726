"""The run in words: a table for the terminal, and docs/hostile-files.md, whose words are page.md.in."""

from __future__ import annotations

import os
import platform
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.fuzz.child import CPU_SECONDS
from tests.fuzz.harness import MEMORY_MAX, PROJECT, Outcome

TEMPLATE = Path(__file__).parent / "page.md.in"
PAGE = PROJECT / "docs" / "hostile-files.md"


@dataclass
class Report:
    """All that a run found out."""

    seed: int
    files: Outcome
    differences: list[tuple[int, str]]
    sample: int
    answers: int
    answer_findings: list[str]
    controls: dict[str, Outcome]
    seconds: float

    def troubles(self) -> list[str]:
        """Everything that should not be, one line each."""
        found = [f"mutant {f.number} ({f.family}): {f.trouble}, {f.detail}" for f in self.files.findings]
        found += [
            f"mutant {number}: {said} when it is examined in a child of its own" for number, said in self.differences
        ]
        found += self.answer_findings
        found += [f"control {name}: reports nothing" for name, outcome in self.controls.items() if not outcome.findings]
        return found

    def values(self) -> dict[str, str]:
        """What stands in the page's places."""
        troubles, cpu = self.files.troubles(), sorted(self.files.cpu) or [0.0]
        return {
            "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}",
            "seed": str(self.seed),
            "minutes": f"{self.seconds / 60:.1f}",
            "files": f"{self.files.count:,}",
            **{name: str(troubles[name]) for name in ("crash", "hang", "outside", "memory", "broken")},
            "cpu_limit": f"{CPU_SECONDS:.0f}",
            "memory_limit": str(MEMORY_MAX >> 20),
            "peak": str(self.files.peak >> 20),
            "cpu50": f"{cpu[len(cpu) // 2] * 1000:.1f}",
            "cpu99": f"{cpu[len(cpu) * 99 // 100] * 1000:.1f}",
            "cpu100": f"{cpu[-1] * 1000:.0f}",
            "different": str(len(self.differences)),
            "sample": str(self.sample),
            "answer_findings": str(len(self.answer_findings)),
            "answers": f"{self.answers:,}",
            "verdicts": histogram(self.files.verdicts),
            "controls": "\n".join(_control(name, outcome) for name, outcome in self.controls.items()),
        }

    def as_text(self) -> str:
        """For the terminal."""
        shown = self.values()
        lines = [f"{name.replace('_', ' '):>16}  {shown[name]}" for name in SHOWN]
        lines += [
            f"{name:>16}  {', '.join(outcome.troubles()) or 'NOTHING'}" for name, outcome in self.controls.items()
        ]
        return "\n".join([*lines, *self.troubles()[:40]])

    def write(self, target: Path = PAGE) -> None:
        """Fill the template; the figures come from the run alone."""
        text = TEMPLATE.read_text()
        for name, value in self.values().items():
            text = text.replace(f"{{{{{name}}}}}", value)
        target.write_text(text)


SHOWN = (
    "seed", "files", "crash", "hang", "outside", "memory", "broken", "peak", "cpu99", "cpu100", "sample", "different",
    "answers", "answer_findings", "minutes",
)  # fmt: skip


def _control(name: str, outcome: Outcome) -> str:
    reported = ", ".join(f"{trouble} ({count})" for trouble, count in outcome.troubles().items())
    return f"| {WORDS[name]} | {outcome.count:,} | {reported} |"


WORDS = {
    "names": "the check of names",
    "overlap": "the check that members don't overlap",
    "checksums": "size and checksum of each member",
    "ply-counts": "the bound on the counts that a PLY announces",
    "mesh-soundness": "the last check of a mesh's numbers",
    "picture-net": "the net under the picture decoders",
    "time": "a reader's end: it waits for what a cut file doesn't have",
    "never-extract": "the rule that nothing is unpacked to its name",
}


def histogram(verdicts: Counter[tuple[str, str]]) -> str:
    """A table: what the zips of each family ended as."""
    families = sorted({family for family, _ in verdicts})
    lines = ["| ended as | " + " | ".join(families) + " |", "|---|" + "---:|" * len(families)]
    for verdict in sorted({verdict for _, verdict in verdicts}):
        counts = [verdicts[family, verdict] for family in families]
        lines.append(f"| {verdict} | " + " | ".join(f"{count:,}" if count else "" for count in counts) + " |")
    return "\n".join(lines)
